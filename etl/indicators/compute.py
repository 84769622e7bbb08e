"""Compute the indicators of a period for every division, from the roll-ups and the stocks of its last month."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from etl.catalog import Catalog
from etl.catalog_version import keep_catalog
from etl.indicators.plan import Plan
from etl.load import take_day
from etl.periods import Period
from etl.periods.totals import ensure_period
from etl.warehouse import plan_for_bulk, run_sql

WORK_MEMORY = "64MB"
"""For each sort and hash table; in less, those of a province spill to disk."""
PLANNED = ("ref", "need", "ref_cell", "condition", "part", "wanted")


def compute_indicators(engine: Engine, catalog: Catalog, period: Period) -> None:
    """Write mart.indicator_figure of the period anew, in one transaction; run again, it writes the same rows.

    Of a day, it waits for a roll-up that is under way.
    """
    with engine.begin() as conn:
        write_indicators(conn, catalog, period)


def write_indicators(conn: Connection, catalog: Catalog, period: Period) -> None:
    """The same in the caller's transaction."""
    if period.kind == "day":
        take_day(conn, period.starts_on)
    period_id = ensure_period(conn, period)
    run_sql(conn, "indicator/mark", {"period_id": period_id, "digest": keep_catalog(conn, catalog)})
    prepare(conn, catalog, period, period_id)
    run_sql(conn, "indicator/forget", {"period_id": period_id})
    run_sql(conn, "indicator/figure", figure_params(conn, catalog, period, period_id))


def prepare(conn: Connection, catalog: Catalog, period: Period, period_id: int) -> Plan:
    """Look up everything that the period's formulas are made of, into temporary tables (base and scope among them)."""
    cells = {(row.measure, row.channel): row.cell_id for row in run_sql(conn, "register/known")}
    plan = Plan(catalog, cells, period.kind)
    of = "day" if period.kind == "day" else "period"
    days = {"first_day": period.starts_on, "last_day": period.ends_on, "period_id": period_id}
    plan_for_bulk(conn)
    conn.execute(sa.text("SELECT set_config('work_mem', :memory, true)"), {"memory": WORK_MEMORY})
    for name in PLANNED:
        run_sql(conn, f"indicator/{name}", {"plan": plan.as_json()})
    for name in (f"scope_of_{of}", "above", "own_stock", "stocked", f"met_of_{of}", "base"):
        run_sql(conn, f"indicator/{name}", days)
    conn.execute(sa.text(f"ANALYZE {', '.join(PLANNED)}, scope, above, own_stock, stocked, met"))
    for name in (f"flow_of_{of}", "stock", "unit", "division", "report", "sum"):
        run_sql(conn, f"indicator/{name}", days)
    conn.execute(sa.text("ANALYZE base"))
    return plan


def figure_params(conn: Connection, catalog: Catalog, period: Period, period_id: int) -> dict[str, object]:
    """What the last statement needs to know of the period."""
    year = period.ends_on.year
    days = {"first_day": period.starts_on, "last_day": period.ends_on, "days": period.days}
    return {
        "period_id": period_id,
        "days": period.days,
        "year_days": (date(year + 1, 1, 1) - date(year, 1, 1)).days,
        "days_missing": run_sql(conn, "indicator/days_missing", days).scalar_one(),
        "provisional_below": catalog.periods[period.kind].provisional_below,
    }
