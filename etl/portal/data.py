"""Data: every question that the portal asks the warehouse, each behind one function.

`look` finds a division and a period as the viewer may see them, once for a page; the others are asked of what it found
and answer in plain dicts and lists, in the order in which they are shown. A division outside the viewer's own part of
the tree raises NotYours, one that does not exist NotFound. `period` is the name of a month, quarter or year (2026-03,
2026Q1, 2026). Values are as stored: counts int, ratios Decimal or float with 1 = 100 %, dates date, times datetime
with zone; None is "no figure", never 0. mom and yoy are ratios less 1 of volumes and differences of rates. What rests
on surveys comes only from `satisfaction`, suppressed (ruling 18), whoever asks.

Thousands of rows never come at once: functions with `limit` and `offset` answer a page of at most LONGEST_PAGE rows and
say in `rows_total` how many there are.

Shapes that recur:
  place:     division_code, division_name, level, parent_code
  reporting: expected, received, on_time, late, late_after_cutoff, missing (None while a cut-off is ahead), rejected,
             reporting_rate, on_time_rate (of those expected), is_provisional (初步)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from etl.failures import Refused
from etl.periods import Period
from etl.portal.viewer import Viewer
from etl.warehouse import run_sql

LONGEST_PAGE = 500
"""Rows of one page of a list."""
Rows = list[dict[str, Any]]


class NotFound(Refused):
    """There is no such division, period or figure."""


class NotYours(Refused):
    """The division is outside the viewer's own."""


def periods(conn: Connection) -> Rows:
    """Periods that have figures, the latest first, years before their quarters before their months.

    period, kind (month | quarter | year), starts_on, ends_on, days_known (days that went in), is_whole (all of its days
    did), computed_at (last write of anything of it).
    """
    return rows_of(conn, "periods", period=None)


def state(conn: Connection) -> str:
    """What all that is shown of divisions, months, quarters and years follows from: as long as it is the same, so are
    they."""
    return str(rows_of(conn, "state")[0]["state"])


def latest_period(known: Rows, kind: str = "month") -> str | None:
    """Name of the last of some periods of a kind that is whole, or the last there is; None: none at all."""
    named = [each for each in known if each["kind"] == kind]
    whole = [each for each in named if each["is_whole"]]
    return (whole or named)[0]["period"] if named else None


@dataclass(frozen=True)
class Here:
    """What a page is about. place: the division (place with path and division_id) as it was at the period's end, or is
    today. period: as in `periods`; None where none was asked for."""

    conn: Connection
    viewer: Viewer
    place: dict[str, Any]
    period: dict[str, Any] | None

    @property
    def division_id(self) -> int:
        return int(self.place["division_id"])

    @property
    def code(self) -> str:
        return str(self.place["division_code"])

    @property
    def shown(self) -> dict[str, Any]:
        """The period, of a page that has one."""
        assert self.period is not None
        return self.period


def look(
    conn: Connection, viewer: Viewer, code: str | None, period: str | None = None, known: Rows | None = None
) -> Here:
    """A division (None: the highest that the viewer sees) in a period. known: `periods`, where they were asked for
    before. Raises NotFound or NotYours, and PeriodUnknown for what is no period."""
    place = _place(conn, viewer, code, Period.parse(period).ends_on if period else None)
    if period is None:
        return Here(conn, viewer, place, None)
    if known is None:
        known = rows_of(conn, "periods", period=period)
    found = [each for each in known if each["period"] == period]
    if not found:
        raise NotFound(f"{period} 还没有汇总数据。")
    return Here(conn, viewer, place, found[0])


def overview(here: Here) -> dict[str, Any]:
    """The first page.

    division: place with path. period: as in `periods`. reporting: as above. services: all services delivered, rows of
    channel, channel_name, value (channel 'all' first). measures: as in `division`. indicators: counts by status
    (met, not_met, no_data, not_applicable). children: as in `children`. satisfaction: the row of channel 'all' of
    `satisfaction`, or None. evaluation: as in `schemes`.
    """
    status: dict[str, int] = {}
    for row in indicators(here):
        if row["status"] is not None:
            status[row["status"]] = status.get(row["status"], 0) + 1
    asked = satisfaction(here)
    return division(here) | {
        "services": [
            {"channel": row["channel"], "channel_name": row["channel_name"], "value": row["delivered"]}
            for row in asked
        ],
        "indicators": status,
        "children": children(here)["rows"],
        "satisfaction": next((row for row in asked if row["channel"] == "all"), None),
        "evaluation": schemes(here),
    }


def division(here: Here) -> dict[str, Any]:
    """One division in one period: its own unit's figures and those of all below it.

    division: place as it was in the period, and `path`: places from the highest that the viewer sees down to this one.
    period: as in `periods`. reporting: as above, None when the division was not there. measures: one per measure in the
    catalogue's order: measure, measure_name, unit, kind (flow | stock), expected, received, is_provisional, channels:
    by channel code (`all` first) value, value_previous, value_last_year, mom, yoy, ytd.
    """
    measures: dict[str, dict[str, Any]] = {}
    for row in rows_of(here.conn, "statistics", period=here.shown["period"], divisions=[here.division_id]):
        of = measures.setdefault(
            row["measure"],
            {name: row[name] for name in ("measure", "measure_name", "unit", "kind")}
            | {name: row[name] for name in ("expected", "received", "is_provisional")}
            | {"channels": {}},
        )
        of["channels"][row["channel"]] = {
            name: row[name]
            for name in ("channel_name", "value", "value_previous", "value_last_year", "mom", "yoy", "ytd")
        }
    reporting = rows_of(here.conn, "reporting", **_key(here))
    return {
        "division": here.place,
        "period": here.shown,
        "reporting": reporting[0] if reporting else None,
        "measures": list(measures.values()),
    }


def children(
    here: Here,
    measures: Sequence[str] = ("consultation", "mediation_accepted", "legal_aid_accepted", "publicity_event"),
    limit: int = 100,
    offset: int = 0,
) -> dict[str, Any]:
    """The divisions directly below, in the order of codes: {rows, rows_total}.

    Each row: place, has_children, reporting's columns, values: by measure its figure of all channels: value, mom, yoy.
    A page has at most LONGEST_PAGE rows (a township may have hundreds of villages): pages must turn.
    """
    page = page_of(here.conn, "children", limit, offset, **_key(here))
    asked = {
        "period": here.shown["period"],
        "divisions": [row["division_id"] for row in page["rows"]],
        "measures": list(measures),
    }
    values: dict[str, dict[str, Any]] = {row["division_code"]: {} for row in page["rows"]}
    for row in rows_of(here.conn, "statistics_of", **asked) if values else ():
        values[row["division_code"]][row["measure"]] = {name: row[name] for name in ("value", "mom", "yoy")}
    for row in page["rows"]:
        row["values"] = values[row["division_code"]]
    return page


def search(conn: Connection, viewer: Viewer, words: str, limit: int = 20) -> Rows:
    """Divisions of today whose code begins with the words or whose name contains them, within the viewer's own.

    Higher levels first, then names that begin with the words, then by code. Rows: place, path_names (names of
    all above it, highest first, as text). Several words separated by blanks: the last is looked for in the
    name, the others in the names above it (临沂 兰山 小学 finds villages there only).
    """
    parts = words.split()
    if not parts:
        return []
    asked = {"word": parts[-1], "own_id": _own_id(conn, viewer), "limit": max(1, min(limit, LONGEST_PAGE))}
    if above := parts[:-1]:
        return rows_of(conn, "search_within", **asked, above=above)
    return rows_of(conn, "search", **asked)


def trend(here: Here, measure: str, months: int = 24) -> dict[str, Any]:
    """A measure of a division month by month up to the last month that has figures, the earliest first.

    measure, measure_name, unit, rows: period, starts_on, value (all channels), value_last_year, is_provisional,
    channels: by channel code its value. At most 60 months. Survey measures raise NotFound.
    """
    named = _measure(here.conn, measure)
    rows: dict[str, dict[str, Any]] = {}
    asked = {"division_id": here.division_id, "measure": measure, "months": max(1, min(months, 60))}
    for row in rows_of(here.conn, "trend", **asked):
        of = rows.setdefault(
            row["period"],
            {"period": row["period"], "starts_on": row["starts_on"], "is_provisional": row["is_provisional"]}
            | {"value": None, "value_last_year": None, "channels": {}},
        )
        if row["channel"] == "all":
            of |= {"value": row["value"], "value_last_year": row["value_last_year"]}
        elif row["channel"] is not None:
            of["channels"][row["channel"]] = row["value"]
    return named | {"rows": list(rows.values())}


def indicators(here: Here) -> Rows:
    """Indicators of a division, in the catalogue's order: the columns of mart.indicator_value but the division's.

    numerator, denominator, value, unit, target, attainment, gap, status, nature, source, value_previous,
    value_last_year, mom, yoy, ytd, is_provisional, completeness, note_zh; kind (rate | volume) says how to show them.
    What rests on surveys has no figures but a note_zh.
    """
    return rows_of(here.conn, "indicators", **_key(here))


def satisfaction(here: Here) -> Rows:
    """Satisfaction of a division by channel, `all` first: the columns of mart.satisfaction and channel_name.

    Suppressed figures are None and note_zh says why; a rate is never shown without rate_low, rate_high and answered.
    """
    return rows_of(here.conn, "satisfaction", division=here.code, period=here.shown["period"])


def schemes(here: Here) -> Rows:
    """Scores of a division, one per scheme: the columns of mart.evaluation."""
    return rows_of(here.conn, "schemes", division=here.code, period=here.shown["period"])


def evaluation(here: Here, scheme: str, limit: int = 100) -> dict[str, Any]:
    """A score broken into its parts. Raises NotFound when the division has none by this scheme.

    total: the row of mart.evaluation. items: of mart.evaluation_item in the scheme's order, with indicator_name.
    evidence: kind (bonus | deduction | veto), points, reason, file, sha256. below: scores of the divisions directly
    below, the best first: place, score, grade, rank_in_parent, rank_in_province, is_provisional, is_vetoed.
    """
    period = here.shown["period"]
    key = {"division": here.code, "period": period, "scheme": scheme}
    total = rows_of(here.conn, "evaluation_total", **key)
    if not total:
        raise NotFound(f"{here.code} 在 {period} 没有按方案 {scheme} 的考核得分。")
    codes = [row["division_code"] for row in rows_of(here.conn, "codes_below", **_key(here))]
    below = {
        "divisions": codes,
        "period": period,
        "scheme": scheme,
        "limit": max(1, min(limit, LONGEST_PAGE)),
    }
    return {
        "total": total[0],
        "items": rows_of(here.conn, "evaluation_items", **key),
        "evidence": rows_of(here.conn, "evaluation_evidence", **key),
        "below": rows_of(here.conn, "evaluation_below", **below),
    }


def board(here: Here, day: date) -> dict[str, Any]:
    """Who has reported the daily data of a day.

    division: place with path. day. counted_at: when the counts were made, None: the day has no counts yet.
    reporting: of the division and all below. children: the divisions directly below that owe anything: place,
    has_children, reporting's columns; those with most outstanding first.
    """
    key = {"division_id": here.division_id, "day": day}
    counted = rows_of(here.conn, "board_counted", day=day)
    own = rows_of(here.conn, "board_own", **key)
    return {
        "division": here.place,
        "day": day,
        "counted_at": counted[0]["counted_at"] if counted else None,
        "reporting": own[0] if own else None,
        "children": rows_of(here.conn, "board_children", **key),
    }


def figure_parts(
    here: Here,
    period: str,
    measure: str,
    channel: str = "all",
    limit: int = 100,
    offset: int = 0,
    moment: datetime | None = None,
) -> dict[str, Any]:
    """What a figure sums. `period` may be a day (2026-03-02) too. moment: the submissions as known then, not now.

    division, period, measure, measure_name, unit, channel, value (as shown; None: no figure), kind, rows, rows_total,
    parts_sum. kind 'days' (a period): stat_date, value, units_expected, units_reported; each opens as a day. kind
    'submissions' (a day; a stock: the month's last day): unit_code, unit_name, level, channel, value, platform,
    revision, received_at, known_from, batch_id, source_name, row_number, sha256, stat_date, pulled_at. Survey measures
    raise NotFound: so do figures that are not there, and a period as known at a moment: open its days.
    """
    conn = here.conn
    named = _measure(conn, measure)
    span = Period.parse(period)
    is_stock = named["kind"] == "stock"
    key: dict[str, Any] = {"division_id": here.division_id, "measure": measure, "channel": channel}
    if span.kind == "day":
        value = rows_of(conn, "value_of_day", **key, day=span.ends_on)
    else:
        value = rows_of(conn, "value_of_period", **key, period=period)
    if not value:
        raise NotFound(f"{here.place['division_name']} {period} 没有 {named['measure_name']} 的数据。")
    if span.kind == "day" or is_stock:
        kind = "submissions"
        dataset = "stocks" if is_stock else "daily"
        key |= {"day": span.ends_on, "dataset": dataset, "moment": moment}
        page = page_of(conn, "parts_of_day", limit, offset, **key)
    elif moment is not None:
        raise NotFound("时期数据请先打开其中一日，再按当时已知数据查看。")
    else:
        kind = "days"
        page = page_of(conn, "parts_of_period", limit, offset, **key, first=span.starts_on, last=span.ends_on)
    parts_sum = page["rows"][0]["parts_sum"] if page["rows"] else None
    page["rows"] = [_without(row, "parts_sum") for row in page["rows"]]
    return {
        "division": here.place,
        "period": period,
        **named,
        "channel": channel,
        "value": value[0]["value"],
        "kind": kind,
        "parts_sum": parts_sum,
        **page,
    }


def issued(conn: Connection, viewer: Viewer, limit: int = 100, offset: int = 0) -> dict[str, Any]:
    """Issued tables of the viewer's own part of the tree, the latest first: {rows, rows_total} with the columns of
    mart.issued_table; none before anything was issued."""
    if conn.execute(sa.text("SELECT to_regclass('mart.issued_table')")).scalar() is None:
        return {"rows": [], "rows_total": 0}
    own = viewer.division_code
    day = None if own is None else conn.execute(sa.text("SELECT current_date")).scalar_one()
    return page_of(conn, "issued", limit, offset, own_id=_own_id(conn, viewer), day=day)


def _place(conn: Connection, viewer: Viewer, code: str | None, day: date | None) -> dict[str, Any]:
    """A division (place, division_id and path) as it was on a day, or is today; without a code the highest that the
    viewer sees: where there is no single province, the first one."""
    if code is None and viewer.division_code is None:
        found = rows_of(conn, "top")
        if not found:
            raise NotFound("还没有行政区划，请先载入区划名录。")
        code = found[0]["division_code"]
    path = _path(conn, code or str(viewer.division_code), day)
    if viewer.division_code is not None:
        codes = [each["division_code"] for each in path]
        if viewer.division_code not in codes:
            raise NotYours(f"{path[-1]['division_name']}不在您的查看范围内。")
        path = path[codes.index(viewer.division_code) :]
    return path[-1] | {"path": path}


def _path(conn: Connection, code: str, day: date | None = None) -> Rows:
    path = rows_of(conn, "path", division=code, day=day)
    if not path:
        raise NotFound(f"没有代码为 {code} 的区划。")
    return path


def _own_id(conn: Connection, viewer: Viewer) -> int | None:
    """division_id of the viewer's own division; None: everything is theirs."""
    return None if viewer.division_code is None else _path(conn, viewer.division_code)[-1]["division_id"]


def _measure(conn: Connection, measure: str) -> dict[str, Any]:
    named = rows_of(conn, "measure", measure=measure)
    if not named:
        raise NotFound(f"没有指标项 {measure}。")
    return named[0]


def _key(here: Here) -> dict[str, Any]:
    return {"division_id": here.division_id, "period_id": here.shown["period_id"]}


def rows_of(conn: Connection, name: str, **params: object) -> Rows:
    """All rows of sql/portal/<name>.sql."""
    return [dict(row._mapping) for row in run_sql(conn, f"portal/{name}", params)]


def page_of(conn: Connection, name: str, limit: int, offset: int, **params: object) -> dict[str, Any]:
    """A page of sql/portal/<name>.sql, whose rows carry rows_total; a page beyond the last has no rows and total 0."""
    limit, offset = max(1, min(limit, LONGEST_PAGE)), max(0, offset)
    rows = rows_of(conn, name, **params, limit=limit, offset=offset)
    total = rows[0]["rows_total"] if rows else 0
    return {"rows": [_without(row, "rows_total") for row in rows], "rows_total": total}


def _without(row: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}
