"""Period totals: months from their days, quarters, years and the year to date from their months."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from etl.catalog import Catalog
from etl.load import is_closed, take_day
from etl.periods.period import Period
from etl.warehouse import plan_for_bulk, refresh_statistics, run_sql

YEAR_LOCK = 7_300_006
TABLES = {"reporting": "period_reporting", "own": "unit_sum", "total": "period_sum"}


def total_period(engine: Engine, catalog: Catalog, period: Period) -> None:
    """Write the totals of a month, quarter, year or year to date: of all divisions, on the divisions of each day.

    A month is summed from those of its days that are rolled up, a longer period from those of its months that were
    totalled before it. A closed month that has totals keeps them; a year to date whose last month has none is not
    written; days need none. One transaction; run again, it changes nothing.
    """
    with engine.begin() as conn:
        write_totals(conn, catalog, period)


def write_totals(conn: Connection, catalog: Catalog, period: Period) -> None:
    """The same in the caller's transaction."""
    if period.kind == "day":
        return
    take_year(conn, period)
    if _keeps_its_totals(conn, period):
        return
    slice_ = _write(conn, period)
    moment = conn.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
    share = catalog.periods[period.kind].provisional_below
    run_sql(conn, "totals/mark", {**slice_, "moment": moment, "provisional_below": share})


def differing_totals(engine: Engine, period: Period) -> list[Row[Any]]:
    """Totals of a period that differ from those summed anew, at most 100; nothing is written."""
    with engine.connect() as conn:
        take_year(conn, period)
        run_sql(conn, "verify/keep_shown", {"period_id": ensure_period(conn, period)})
        found = list(run_sql(conn, "verify/period_total", _write(conn, period)).all())
        conn.rollback()
    return found


def take_year(conn: Connection, period: Period) -> None:
    """Let one transaction at a time write the totals of a period's year, until it ends."""
    conn.execute(
        sa.text("SELECT pg_advisory_xact_lock(:key, :year)"),
        {"key": YEAR_LOCK, "year": period.ends_on.year},
    )


def _write(conn: Connection, period: Period) -> dict[str, Any]:
    slice_: dict[str, Any] = {
        "period_id": ensure_period(conn, period),
        "first": period.starts_on,
        "last": period.ends_on,
    }
    slice_["months"] = [month.period_id for month in run_sql(conn, "totals/months", slice_)]
    source = "days" if period.kind == "month" else "months"
    plan_for_bulk(conn)
    # A province's month has more than a million sums of units: more than the server's own share of memory holds.
    conn.execute(sa.text("SET LOCAL work_mem = '256MB'"))
    for part, table in TABLES.items():
        run_sql(conn, f"totals/forget_{part}", slice_)
        run_sql(conn, f"totals/{part}_of_{source}", slice_)
        refresh_statistics(conn, f"mart.{table}_{slice_['period_id']}")
    return slice_


def ensure_period(conn: Connection, period: Period) -> int:
    """The number of a period, whose row and partitions are made where they are lacking."""
    number: int = conn.execute(
        sa.text("SELECT mart.ensure_period(:name, :kind, :first, :last)"),
        {"name": period.name, "kind": period.kind, "first": period.starts_on, "last": period.ends_on},
    ).scalar_one()
    return number


def _keeps_its_totals(conn: Connection, period: Period) -> bool:
    """Whether there is nothing to write. The days of a month are taken first, so that none changes meanwhile."""
    if period.kind == "month":
        for number in range(period.days):
            take_day(conn, period.starts_on + timedelta(days=number))
        return is_closed(conn, period.starts_on) and _is_totalled(conn, period)
    return period.kind == "to_date" and not _is_totalled(conn, Period.around("month", period.ends_on))


def _is_totalled(conn: Connection, period: Period) -> bool:
    query = sa.text("SELECT totalled_at IS NOT NULL FROM mart.period WHERE period = :name")
    return bool(conn.execute(query, {"name": period.name}).scalar_one_or_none())
