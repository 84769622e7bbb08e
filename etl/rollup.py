"""Roll up: from the units' figures to those of the divisions above them, level by level."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from etl.catalog import Catalog
from etl.load import is_closed, take_day
from etl.warehouse import plan_for_bulk, run_sql


def roll_up_day(engine: Engine, catalog: Catalog, day: date, *, whole: bool) -> None:
    """Write the day's totals: of every division or, not `whole`, of those above units that changed since the last time.

    Each level is summed from the one below. A day that was never rolled up is done whole; one of a closed month keeps
    its totals as they are. One transaction; run again, it writes the same rows.
    """
    with engine.begin() as conn:
        moment = take_day(conn, day)
        if is_closed(conn, day):
            return
        whole = whole or not _is_rolled_up(conn, day)
        if whole:
            plan_for_bulk(conn)
            run_sql(conn, "rollup/touch_all", {"day": day, "expecting": expecting_platforms(catalog, day)})
        else:
            run_sql(conn, "rollup/touch_units", {"day": day})
        run_sql(conn, "rollup/kin", {"day": day})
        conn.execute(sa.text("ANALYZE touched, kin"))
        if whole:
            run_sql(conn, "rollup/expect", {"day": day, "moment": moment})
        run_sql(conn, "rollup/own", {"day": day})
        run_sql(conn, "rollup/parts", {"day": day})
        conn.execute(sa.text("ANALYZE own, part"))
        for table in ("totals", "reporting"):
            run_sql(conn, f"rollup/forget_{table}", {"day": day, "whole": whole})
        depths = (
            conn.execute(sa.text("SELECT DISTINCT depth FROM touched ORDER BY depth DESC")).scalars().all()
        )
        for depth in depths:
            run_sql(conn, "rollup/totals", {"day": day, "depth": depth})
            run_sql(conn, "rollup/reporting", {"day": day, "depth": depth})
        run_sql(conn, "rollup/mark", {"day": day, "moment": moment, "whole": whole})
        if whole:
            conn.execute(sa.text("SELECT core.analyze_month(:day)"), {"day": day})


def waiting_days(engine: Engine) -> list[date]:
    """Days that have something gated or loaded which the marts do not show yet, in order."""
    with engine.connect() as conn:
        return list(run_sql(conn, "rollup/waiting_days").scalars())


def expecting_platforms(catalog: Catalog, day: date) -> list[str]:
    """Ids of the platforms whose calendar has units report on this day."""
    return [
        platform.id
        for platform in catalog.daily_platforms().values()
        if catalog.calendars[platform.calendar].expects(day)
    ]


def _is_rolled_up(conn: Connection, day: date) -> bool:
    query = sa.text("SELECT rolled_up_at IS NOT NULL FROM mart.daily_rollup WHERE stat_date = :day")
    return bool(conn.execute(query, {"day": day}).scalar_one_or_none())
