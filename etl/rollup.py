"""Roll up: from the units' figures to those of the divisions above them, level by level."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from etl.catalog import Catalog, Dataset
from etl.deadlines import expectations, write_expected
from etl.load import is_closed, take_day
from etl.warehouse import plan_for_bulk, run_sql


def roll_up_day(engine: Engine, catalog: Catalog, day: date, *, whole: bool) -> None:
    """Write the day's totals: of every division or, not `whole`, of those above units that changed since the last time.

    Each level is summed from the one below. A day that was never rolled up is done whole; one of a closed month keeps
    its totals as they are. One transaction; run again, it writes the same rows.
    """
    with engine.begin() as conn:
        is_whole = write_day(conn, catalog, day, whole=whole)
    if is_whole:
        with engine.begin() as conn:
            conn.execute(sa.text("SELECT core.analyze_month(:day)"), {"day": day})


def write_day(conn: Connection, catalog: Catalog, day: date, *, whole: bool) -> bool:
    """The same in the caller's transaction; in one that is rolled back, nothing was written. Returns whether all of it
    was."""
    moment = take_day(conn, day)
    if is_closed(conn, day):
        return False
    whole = whole or not _is_rolled_up(conn, day)
    if whole:
        plan_for_bulk(conn)
        # As many of the commonest values as a month has days; a hundred would take twice as long to count.
        conn.execute(sa.text("SET LOCAL default_statistics_target = 50"))
        touch_all(conn, catalog, day, "daily", moment)
    else:
        for step in ("waiting_units", "touch_units"):
            run_sql(conn, f"rollup/{step}", {"day": day})
        conn.execute(sa.text("ANALYZE touched"))
        _meet_kin(conn, day)
    for step in ("held", "own", "parts", "carried"):
        run_sql(conn, f"rollup/{step}", {"day": day})
    conn.execute(sa.text("ANALYZE own, part"))
    for table in ("sum", "reporting"):
        run_sql(conn, f"rollup/forget_{'day' if whole else 'touched'}_{table}", {"day": day})
    depths = conn.execute(sa.text("SELECT DISTINCT depth FROM touched ORDER BY depth DESC")).scalars().all()
    for depth in depths:
        run_sql(conn, "rollup/totals", {"day": day, "depth": depth})
        run_sql(conn, "rollup/reporting", {"day": day, "depth": depth})
    run_sql(conn, "rollup/mark", {"day": day, "moment": moment, "whole": whole})
    return whole


def touch_all(conn: Connection, catalog: Catalog, day: date, dataset: Dataset, moment: datetime) -> None:
    """Make the tables touched (every division that has to do with the data set on a day, and whether its own unit is
    expected) and kin (those directly below); keep who was expected as known from the moment on."""
    run_sql(conn, "rollup/touch_all", expectations(catalog, dataset, day))
    conn.execute(sa.text("ANALYZE touched"))
    for step in ("strays", "touch_strays"):
        run_sql(conn, f"rollup/{step}", {"day": day, "dataset": dataset})
    _meet_kin(conn, day)
    write_expected(conn, dataset, day, moment)


def _meet_kin(conn: Connection, day: date) -> None:
    run_sql(conn, "rollup/kin", {"day": day})
    conn.execute(sa.text("ANALYZE kin"))


def waiting_days(engine: Engine, dataset: Dataset = "daily") -> list[date]:
    """Days that have something gated or loaded which the marts do not show yet, in order; of stocks, the last days of
    such months."""
    with engine.connect() as conn:
        name = "rollup/waiting_days" if dataset == "daily" else "stock/waiting_months"
        return list(run_sql(conn, name).scalars())


def _is_rolled_up(conn: Connection, day: date) -> bool:
    query = sa.text("SELECT rolled_up_at IS NOT NULL FROM mart.daily_rollup WHERE stat_date = :day")
    return bool(conn.execute(query, {"day": day}).scalar_one_or_none())
