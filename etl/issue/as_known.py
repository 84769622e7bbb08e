"""As known then: the warehouse as it was known at an earlier moment, for as long as a transaction lasts.

Whatever became known later is taken out of core in one transaction, the days and periods written since are written
again by the very functions that write them every day, and whatever reads on this connection reads what was read then.
The transaction is rolled back at the end: nobody else sees anything of it. docs/decisions/0011 says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from etl.catalog import Catalog
from etl.catalog.scheme_indicators import known_indicators
from etl.catalog_version import read_catalog
from etl.evaluation.evaluate import write_schemes, write_scores
from etl.indicators.compute import write_indicators
from etl.load import take_day
from etl.periods import Period, in_order
from etl.periods.totals import take_year, write_totals
from etl.register import write_catalog
from etl.rollup import write_day
from etl.satisfaction.compute import write_satisfaction
from etl.stock_rollup import write_month
from etl.warehouse import act_as, run_sql

TREND_MONTHS = 12
"""A table may show so many months up to the end of its period."""
OF_DAYS = ("submissions", "expected")
OF_ALL = ("divisions", "changes")


@dataclass(frozen=True)
class Shown:
    """What there was of a period: totals, and indicators by a version of the catalogue (None: not yet; empty: by one
    that nobody kept)."""

    is_totalled: bool
    catalog: str | None


@dataclass(frozen=True)
class Known:
    """The knowledge that a table is made of: everything until a moment, by a version of the catalogue, and what there
    was of each period that may stand in it."""

    moment: datetime
    catalog: str
    periods: Mapping[str, Shown]


class Changed(NamedTuple):
    """A day, or a month's end of stocks, that shows what became known later (sql/issue/changed_days)."""

    dataset: str
    stat_date: date
    was_shown: bool
    is_whole: bool


def periods_read(period: Period) -> list[Period]:
    """The periods whose figures may stand in a table of one, small ones first: itself, the one before, that of last
    year, the year to date, the last twelve months, and the months that all of these are summed from."""
    read = {period, period.previous(), period.last_year()}
    if period.kind == "day":
        return in_order(read)
    read |= {*period.to_date(), *period.last_year().to_date()}
    month = Period.around("month", period.ends_on)
    for _ in range(TREND_MONTHS):
        read.add(month)
        month = month.previous()
    for each in list(read):
        read |= set(each.months())
    return in_order(read)


def read_shown(conn: Connection, period: Period) -> dict[str, Shown]:
    """What there is of each period that may stand in a table of one."""
    names = [each.name for each in periods_read(period)]
    found = {row.period: row for row in run_sql(conn, "issue/periods_read", {"names": names})}
    return {
        name: Shown(found[name].is_totalled, found[name].catalog) if name in found else Shown(False, None)
        for name in names
    }


@contextmanager
def as_known_at(
    engine: Engine, current: Catalog, period: Period, known: Known
) -> Iterator[tuple[Connection, Catalog]]:
    """A connection on which all that a table of the period reads is as it was known at a moment, and the catalogue of
    then; nothing written on it stays.

    Days that changed since are locked meanwhile: loads of them wait. Raises CatalogVersionError.
    """
    with engine.connect() as conn:
        try:
            # Nobody else may take out what came in; here it comes back with the end of the transaction.
            act_as(conn, "pls_owner")
            catalog = read_catalog(conn, known.catalog, current)
            write_catalog(conn, catalog)
            written = _written_since(conn, period, known)
            changed = _take(conn, period, written, known.moment)
            _rewind(conn, changed, known.moment)
            for row in changed:
                _show_day(conn, catalog, row)
            for each in in_order(written):
                _show_period(conn, current, each, written[each].period_id, known.periods.get(each.name))
            conn.execute(
                sa.text("SELECT set_config('pls.judged_at', :moment, true)"),
                {"moment": known.moment.isoformat()},
            )
            yield conn, catalog
        finally:
            conn.rollback()


def _written_since(conn: Connection, period: Period, known: Known) -> dict[Period, Row[Any]]:
    found = run_sql(conn, "issue/periods_read", {"names": [each.name for each in periods_read(period)]}).all()
    return {
        Period.parse(row.period): row
        for row in found
        if row.written_at is not None and row.written_at > known.moment
    }


def _take(conn: Connection, period: Period, written: Mapping[Period, Any], moment: datetime) -> list[Changed]:
    """The days that changed since, locked until the transaction ends: in the order in which everybody locks."""
    for year in sorted({each.ends_on.year for each in written if each.kind != "day"}):
        take_year(conn, Period.parse(str(year)))
    read = periods_read(period)
    slice_ = {
        "first": min(each.starts_on for each in read),
        "last": max(each.ends_on for each in read),
        "moment": moment,
    }
    while True:
        found = [Changed(**row._mapping) for row in run_sql(conn, "issue/changed_days", slice_)]
        for day in sorted({each.stat_date for each in found}):
            take_day(conn, day)
        if found == [Changed(**row._mapping) for row in run_sql(conn, "issue/changed_days", slice_)]:
            return found


def _rewind(conn: Connection, changed: Sequence[Changed], moment: datetime) -> None:
    """Take out of core and quality whatever became known after a moment."""
    days = sorted({each.stat_date for each in changed})
    slice_ = {"days": days, "moment": moment}
    run_sql(conn, "issue/open_months")
    run_sql(conn, "issue/wait_units", slice_)
    for name in OF_DAYS:
        run_sql(conn, f"issue/forget_{name}", slice_)
        run_sql(conn, f"issue/reopen_{name}", slice_)
    for name in ("quarantine", "decisions", "flags"):
        run_sql(conn, f"issue/forget_{name}", slice_)
    for name in OF_ALL:
        run_sql(conn, f"issue/forget_{name}", {"moment": moment})
        run_sql(conn, f"issue/reopen_{name}", {"moment": moment})


def _show_day(conn: Connection, catalog: Catalog, row: Changed) -> None:
    """Write a day, or the stocks of a month, as the roll-up had written it; forget one that was not rolled up then."""
    day, is_daily = row.stat_date, row.dataset == "daily"
    if row.was_shown and is_daily:
        write_day(conn, catalog, day, whole=row.is_whole)
    elif row.was_shown:
        write_month(conn, catalog, day)
    else:
        tables = (
            ("issue/forget_daily_total", "issue/forget_daily_reporting")
            if is_daily
            else ("stock/forget_total", "stock/forget_reporting", "stock/forget_carried")
        )
        for name in (*tables, f"issue/unmark_{row.dataset}"):
            run_sql(conn, name, {"day": day})
    _drop_temporary(conn)


def _show_period(
    conn: Connection, current: Catalog, period: Period, period_id: int, shown: Shown | None
) -> None:
    """Write a period as it had been shown, by the catalogue of that time; what there was not is forgotten."""
    if shown is None:
        shown = Shown(False, None)
    catalog = read_catalog(conn, shown.catalog, current) if shown.catalog is not None else None
    if shown.is_totalled:
        write_totals(conn, catalog or current, period)
        _drop_temporary(conn)
    elif period.kind != "day":
        for table in ("own", "total", "reporting"):
            run_sql(conn, f"totals/forget_{table}", {"period_id": period_id})
    if catalog is None:
        run_sql(conn, "issue/unmark_period", {"period_id": period_id, "is_totalled": shown.is_totalled})
        for name in ("indicator/forget", "satisfaction/forget", "evaluation/forget"):
            run_sql(conn, name, {"period_id": period_id})
        return
    write_indicators(conn, catalog, period)
    _drop_temporary(conn)
    if period.kind != "day" and catalog.satisfaction:
        write_satisfaction(conn, catalog, period)
        _drop_temporary(conn)
    write_schemes(conn, catalog)
    write_scores(conn, catalog, period, known_indicators(catalog.indicators))
    _drop_temporary(conn)


def _drop_temporary(conn: Connection) -> None:
    """Each step makes its temporary tables anew, and is otherwise a transaction of its own, at whose end they go."""
    conn.execute(sa.text("DISCARD TEMP"))
