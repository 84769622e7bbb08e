"""Roll up stocks: from what units keep at a month's end to the divisions above them, on the tree of that day."""

from __future__ import annotations

from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from etl.catalog import Catalog
from etl.load import is_closed, take_day
from etl.rollup import touch_all
from etl.warehouse import plan_for_bulk, refresh_statistics, run_sql

TABLES = ("reporting", "carried", "total")


def roll_up_month(engine: Engine, catalog: Catalog, last_day: date) -> None:
    """Write the stocks of every division for the month that ends on a day (mart.stock_figure).

    They add up over divisions, in the measure's own unit of count, and never over time. A month that is missing stays
    missing, but for measures that the catalogue lets carry forward (carry_months); months into which this one may have
    been carried are written again. A closed month keeps its totals. One transaction a month; run again, it writes the
    same rows.
    """
    months = _carried(catalog)
    with engine.begin() as conn:
        write_month(conn, catalog, last_day)
    if months:
        with engine.connect() as conn:
            slice_ = {"day": last_day, "months": max(months.values())}
            later = list(run_sql(conn, "stock/later_months", slice_).scalars())
        for day in later:
            with engine.begin() as conn:
                write_month(conn, catalog, day)


def write_month(conn: Connection, catalog: Catalog, day: date) -> None:
    """One month alone, in the caller's transaction; those after it, into which it may be carried, are not written."""
    months = _carried(catalog)
    moment = take_day(conn, day)
    if is_closed(conn, day):
        return
    plan_for_bulk(conn)
    touch_all(conn, catalog, day, "stocks", moment)
    for table in TABLES:
        run_sql(conn, f"stock/forget_{table}", {"day": day})
    stocks = [each.code for each in catalog.measures_of("stocks")]
    run_sql(conn, "stock/reporting", {"day": day, "measures": stocks})
    if months:
        carried = {"measures": list(months), "months": list(months.values())}
        # No month has more than 31 days; without a date of its own the statement would read every month there is.
        earliest = day - timedelta(days=31 * (max(months.values()) + 1))
        run_sql(conn, "stock/carry", {"day": day, "earliest": earliest, **carried})
    refresh_statistics(conn, "mart.stock_reporting", "mart.stock_carried")
    run_sql(conn, "stock/parts", {"day": day})
    conn.execute(sa.text("ANALYZE part"))
    depths = conn.execute(sa.text("SELECT DISTINCT depth FROM touched ORDER BY depth DESC")).scalars()
    for depth in depths.all():
        run_sql(conn, "stock/totals", {"day": day, "depth": depth})
    refresh_statistics(conn, "mart.stock_total")
    run_sql(conn, "stock/mark", {"day": day, "moment": moment})


def _carried(catalog: Catalog) -> dict[str, int]:
    """For how many months each measure that may be carried forward is."""
    return {each.code: each.carry_months for each in catalog.measures_of("stocks") if each.carry_months}
