"""Arrivals: an all-clear to those who were told, when what was missing has come, or a platform answers again.

A recipient gets at most one all-clear for a day of figures between two of the declared hours; what comes later waits
for the next. A digest that nobody was sent yet, and whose units have all arrived, is moot.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection, Row

from etl.alerts import text
from etl.alerts.hours import all_clear_at
from etl.alerts.ladder import Digest
from etl.alerts.text import Facts
from etl.alerts.tree import read_tree
from etl.alerts.write import outbox_row
from etl.catalog import Catalog
from etl.catalog.alert import Reason
from etl.warehouse import run_sql, statement

ALL_CLEAR = "all_clear"
LOOK_BACK = timedelta(days=45)


def write_all_clears(conn: Connection, catalog: Catalog, moment: datetime) -> int:
    """Write the all-clears of a moment, and close what is over; returns how many were written."""
    by_day: dict[tuple[Any, str, bool], list[Row[Any]]] = defaultdict(list)
    for row in run_sql(conn, "alerts/open", {"since": moment - LOOK_BACK}):
        by_day[row.stat_date, row.dataset, row.reason == "outage"].append(row)
    written = 0
    for (day, dataset, is_outage), alerts in by_day.items():
        slice_ = {"day": day, "dataset": dataset, "moment": moment}
        over, excused = _recovered(conn, alerts, slice_) if is_outage else _arrived(conn, alerts, slice_)
        if over or excused:
            slice_["tree"] = {} if is_outage else read_tree(conn, day, over)
            reason: Reason = "recovered" if is_outage else "cleared"
            written += _write_day(conn, catalog, reason, alerts, over, excused, slice_)
    return written


def _write_day(
    conn: Connection,
    catalog: Catalog,
    reason: Reason,
    alerts: Sequence[Row[Any]],
    over: set[int],
    excused: set[int],
    slice_: dict[str, Any],
) -> int:
    slot = all_clear_at(slice_["moment"], catalog.delivery())
    key = {"stat_date": slice_["day"], "dataset": slice_["dataset"], "round": ALL_CLEAR, "round_at": slot}
    told_already = set(run_sql(conn, "alerts/recipients_of", key | {"reason": reason}).scalars())
    rows, closed = [], []
    by_recipient: dict[str | None, list[Row[Any]]] = defaultdict(list)
    for alert in alerts:
        by_recipient[alert.recipient].append(alert)
    for recipient, theirs in sorted(by_recipient.items(), key=lambda item: item[0] or ""):
        told = [alert for alert in theirs if alert.state in ("sent", "acknowledged")]
        news = sorted({each for alert in told for each in alert.open_ids} & over)
        if news and recipient in told_already:
            continue
        left = {each for alert in told for each in alert.open_ids} - over - excused
        if news:
            digest = Digest(recipient, tuple(news), ())
            rows.append(_row(conn, catalog, key, reason, digest, theirs[0], len(left), slice_))
        closed += [change for alert in theirs if (change := _closed(alert, over, excused)) is not None]
    if rows:
        conn.execute(statement("alerts/write"), rows)
    if closed:
        conn.execute(statement("alerts/close"), closed)
    return len(rows)


def _closed(alert: Row[Any], over: set[int], excused: set[int]) -> dict[str, Any] | None:
    """What is left open of an alert; one that is still to be sent stays whole, unless nothing of it is left."""
    left = [each for each in alert.open_ids if each not in over and each not in excused]
    if len(left) == len(alert.open_ids) or (alert.state == "pending" and left):
        return None
    state = "moot" if alert.state == "pending" else alert.state
    return {"alert_id": alert.alert_id, "open_ids": left, "state": state, "state_seen": alert.state}


def _row(
    conn: Connection,
    catalog: Catalog,
    key: dict[str, Any],
    reason: Reason,
    digest: Digest,
    alert: Row[Any],
    left: int,
    slice_: dict[str, Any],
) -> dict[str, Any]:
    moment = slice_["moment"]
    most = catalog.delivery().list_at_most
    if reason == "recovered":
        names = run_sql(conn, "alerts/platform_names", {"ids": list(digest.subject_ids)}).scalars()
        lines, levels = text.platform_lines(list(names), most), ""
    else:
        lines, levels = text.unit_lines(digest.subject_ids, slice_["tree"], (), most)
    facts = Facts(slice_["dataset"], slice_["day"], moment, moment, moment, left)
    return outbox_row(catalog, key, reason, alert.level, digest, facts, lines, levels)


def _arrived(
    conn: Connection, alerts: Sequence[Row[Any]], slice_: dict[str, Any]
) -> tuple[set[int], set[int]]:
    """Units whose submission has come, and units that have been excused since."""
    ids = sorted({each for alert in alerts for each in alert.open_ids})
    found = run_sql(conn, "alerts/arrived", slice_ | {"ids": ids}).all()
    arrived = {row.unit_id for row in found if row.has_arrived}
    return arrived, {row.unit_id for row in found if not row.has_arrived and not row.is_owed}


def _recovered(
    conn: Connection, alerts: Sequence[Row[Any]], slice_: dict[str, Any]
) -> tuple[set[int], set[int]]:
    """Platforms that have answered since, and platforms that are no longer declared."""
    first = min(alert.created_at for alert in alerts)
    states = {row.platform_id: row for row in run_sql(conn, "alerts/platforms", slice_)}
    ids = {each for alert in alerts for each in alert.open_ids}
    over = {each for each in ids & states.keys() if not states[each].is_out and states[each].asked_at > first}
    return over, ids - states.keys()
