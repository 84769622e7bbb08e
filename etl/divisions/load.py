"""Load: a division list into the warehouse, valid from a day, with what changed and since when it is known."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from etl.divisions.compare import Before, Change, compare
from etl.divisions.division_list import DivisionList, DivisionListError, read_division_list
from etl.divisions.infer import Division
from etl.divisions.mapping import read_mapping
from etl.warehouse import act_as, copy_csv, plan_for_bulk, run_sql


@dataclass(frozen=True)
class DivisionLoad:
    """What loading a list does. valid_from is None for the first list, valid for all past days too; closed and opened
    count periods, days the rolled-up days that wait to be rolled up again, unexpected submissions of these days whose
    unit is not in force any more: flagged, and in no total."""

    listed: int
    closed: int
    opened: int
    valid_from: date | None
    changes: Sequence[Change]
    remarks: Sequence[str]
    days: int = 0
    unexpected: int = 0

    def counts(self) -> dict[str, int]:
        """Changes taken, by kind."""
        return dict(Counter(change.kind for change in self.changes if change.is_taken))


def load_divisions(
    engine: Engine,
    file: Path,
    valid_from: date | None,
    today: date,
    *,
    mapping: Path | None = None,
    strict: bool = False,
    announce: Callable[[DivisionLoad], None] = lambda plan: None,
) -> DivisionLoad:
    """Load a division list (CSV or CSV.gz: code,name,level,parent_code), valid from a date (default: today).

    The first list is valid for all past days too. A later one ends the periods of divisions that it lacks or shows
    otherwise, and opens new ones; earlier days keep their divisions. Loaded again for the same day it replaces what it
    did before, and a list that changes nothing writes nothing. `announce` is shown the plan before it is applied.
    Raises DivisionListError.
    """
    with engine.begin() as conn:
        act_as(conn, "pls_owner")
        plan = _plan(conn, file, valid_from or today, mapping, strict=strict)
        announce(plan)
        _require_open_months(conn, file, plan)
        done = _apply(conn, plan)
    with engine.begin() as conn:
        act_as(conn, "pls_owner")
        conn.execute(sa.text("ANALYZE core.division, core.division_period, core.division_change"))
    return done


def plan_divisions(
    engine: Engine,
    file: Path,
    valid_from: date | None,
    today: date,
    *,
    mapping: Path | None = None,
    strict: bool = False,
) -> DivisionLoad:
    """What load_divisions would do; nothing is written. Raises DivisionListError."""
    with engine.connect() as conn:
        plan = _plan(conn, file, valid_from or today, mapping, strict=strict)
        conn.rollback()
    return plan


def _plan(conn: Connection, file: Path, start: date, mapping: Path | None, *, strict: bool) -> DivisionLoad:
    listing = read_division_list(file, strict=strict)
    conn.execute(sa.text("LOCK TABLE core.division_period IN EXCLUSIVE MODE"))
    plan_for_bulk(conn)
    is_first = _require_newest(conn, file, start)
    before = _before(conn, start)
    if is_first and mapping is not None:
        raise DivisionListError(f"{mapping}: nothing is loaded yet that could be mapped to the first list.")
    new = _divisions(listing.table)
    stated = read_mapping(mapping, before.divisions, new) if mapping is not None else []
    changes = [] if is_first else compare(before, new, stated)
    valid_from = None if is_first else start
    _prepare(conn, listing, _slice(valid_from))
    counted = run_sql(conn, "divisions/count_periods", _slice(valid_from)).one()
    return DivisionLoad(
        len(listing.table), counted.closed, counted.opened, valid_from, changes, listing.remarks
    )


def _slice(valid_from: date | None) -> dict[str, str]:
    return {"valid_from": str(valid_from or "-infinity")}


def _require_newest(conn: Connection, file: Path, start: date) -> bool:
    """Whether no list is loaded yet. Raises DivisionListError when one is in force from a later day."""
    query = sa.text(
        "SELECT bool_or(valid_from > :start OR (valid_to > :start AND valid_to < 'infinity')) FROM core.division_period"
    )
    is_older: bool | None = conn.execute(query, {"start": start}).scalar_one()
    if is_older:
        raise DivisionListError(f"{file}: a list valid from a day after {start} is loaded already.")
    return is_older is None


def _require_open_months(conn: Connection, file: Path, plan: DivisionLoad) -> None:
    """Raise DivisionListError when the list would change a month that is closed (ruling 11)."""
    if plan.valid_from is None or not plan.closed + plan.opened:
        return
    closed = list(run_sql(conn, "divisions/closed_months", _slice(plan.valid_from)).scalars())
    if closed:
        raise DivisionListError(
            f"{file}: valid from {plan.valid_from}, it would change {', '.join(closed)}, which is closed. Reopen first:"
            f" python -m etl period reopen {closed[0]} --why …"
        )


def _before(conn: Connection, start: date) -> Before:
    columns = run_sql(conn, "divisions/before", {"valid_from": start}).mappings().one()
    if columns["code"] is None:
        return Before({})
    known = pd.DataFrame(dict(columns))
    gone = known[~known["is_in_force"]]
    return Before(_divisions(known[known["is_in_force"]]), dict(zip(gone["code"], gone["name"], strict=True)))


def _divisions(table: pd.DataFrame) -> dict[str, Division]:
    columns = (table[name].tolist() for name in ("code", "name", "level", "parent_code"))
    return {code: Division(name, level, parent) for code, name, level, parent in zip(*columns, strict=True)}


def _prepare(conn: Connection, listing: DivisionList, slice_: dict[str, str]) -> None:
    """The list, and the periods that follow from it, in temporary tables."""
    conn.execute(
        sa.text(
            "CREATE TEMPORARY TABLE listed (division_code text, division_name text, level text, parent_code text)"
            " ON COMMIT DROP"
        )
    )
    columns = ["division_code", "division_name", "level", "parent_code"]
    _copy(conn, "listed", columns, listing.table)
    conn.execute(
        sa.text(
            "INSERT INTO core.division (division_code) SELECT division_code FROM listed"
            " WHERE division_code NOT IN (SELECT division_code FROM core.division) ORDER BY division_code"
        )
    )
    conn.execute(sa.text("ANALYZE listed"))
    run_sql(conn, "divisions/wanted", slice_)
    conn.execute(sa.text("ANALYZE wanted"))


def _apply(conn: Connection, plan: DivisionLoad) -> DivisionLoad:
    # Whoever reads divisions ends first, and reads them anew after us: the moment of knowledge is the same for all.
    conn.execute(sa.text("LOCK TABLE core.division_period IN ACCESS EXCLUSIVE MODE"))
    moment = conn.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
    slice_ = {**_slice(plan.valid_from), "moment": moment}
    for step in ("replaced", "keep_replaced", "retire_periods"):
        run_sql(conn, f"divisions/{step}", slice_)
    written = run_sql(conn, "divisions/open_periods", slice_).rowcount
    if plan.valid_from is not None:
        _record(conn, plan.changes, slice_)
    if plan.valid_from is None or written == 0:
        return plan
    run_sql(conn, "divisions/unflag_open")
    unexpected = run_sql(conn, "divisions/flag_closed", slice_).rowcount
    days = run_sql(conn, "divisions/wait_for_rollup", slice_).rowcount
    return replace(plan, days=days, unexpected=unexpected)


def _record(conn: Connection, changes: Sequence[Change], slice_: dict[str, str]) -> None:
    conn.execute(
        sa.text(
            "CREATE TEMPORARY TABLE change (kind text, level text, from_code text, to_code text, share numeric,"
            " origin text, confidence numeric, is_taken boolean, reason text) ON COMMIT DROP"
        )
    )
    _copy(
        conn,
        "change",
        list(Change._fields),
        pd.DataFrame(changes, columns=list(Change._fields), dtype=object),
    )
    run_sql(conn, "divisions/found")
    conn.execute(sa.text("ANALYZE found"))
    run_sql(conn, "divisions/retire_changes", slice_)
    run_sql(conn, "divisions/record_changes", slice_)


def _copy(conn: Connection, table: str, columns: list[str], rows: pd.DataFrame) -> None:
    body = io.BytesIO()
    rows.to_csv(body, header=False, index=False)
    copy_csv(conn, table, columns, body.getvalue())
