"""Provenance: what a published figure sums, down to the row of the file, now and as known at an earlier moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from etl.failures import Refused
from etl.periods import Period
from etl.warehouse import plan_for_bulk, run_sql


class ProvenanceError(Refused):
    """There is no such figure; the message says what was looked for."""


@dataclass(frozen=True)
class Explanation:
    """A figure and the units' figures that it sums (columns: sql/explain). moment: as known when (UTC); None is now."""

    value: int | None
    parts: list[dict[str, Any]]
    moment: datetime | None


def explain_daily(
    engine: Engine,
    division: str,
    day: date,
    measure: str,
    channel: str = "all",
    moment: datetime | None = None,
) -> Explanation:
    """Open one figure of mart.daily_statistics. Raises ProvenanceError when there is none.

    The parts add up to the figure, or this is a defect of the warehouse and says so.
    """
    figure = {"division": division, "day": day, "measure": measure, "channel": channel}
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as conn:
        plan_for_bulk(conn)
        known = moment or conn.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
        found = run_sql(
            conn, "explain/figure" if moment is None else "explain/figure_as_of", {**figure, "moment": known}
        ).one_or_none()
        if found is None:
            when = f" as known at {moment.isoformat()}" if moment else ""
            raise ProvenanceError(
                f"mart.daily_statistics has no row for {division} on {day}, {measure}, channel {channel}{when}."
                " Look which it has: python -m etl explain --help"
            )
        rows = [
            dict(row._mapping)
            for row in run_sql(conn, "explain/daily_statistics", {**figure, "moment": known})
        ]
    _refuse_other_sum(figure, found.value, rows)
    return Explanation(found.value, rows, moment)


def explain_stock(engine: Engine, division: str, last_day: date, measure: str) -> Explanation:
    """Open one figure of mart.stock_figure, of the month that ends on a day. Raises ProvenanceError when there is none.

    A part of an earlier stat_date was carried forward. The parts add up to the figure, as those of a daily one.
    """
    figure = {"division": division, "day": last_day, "measure": measure}
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as conn:
        plan_for_bulk(conn)
        found = run_sql(conn, "explain/stock_value", figure).one_or_none()
        if found is None:
            raise ProvenanceError(
                f"mart.stock_figure has no row for {division} on {last_day}, {measure}: write the month's last day."
            )
        rows = [dict(row._mapping) for row in run_sql(conn, "explain/stock_parts", figure)]
    _refuse_other_sum(figure, found.value, rows)
    return Explanation(found.value, rows, None)


def explain_period(
    engine: Engine, division: str, period: Period, measure: str, channel: str = "all"
) -> Explanation:
    """Open one figure of mart.period_statistics into the days that it sums; each of these opens by `explain_daily`.

    Raises ProvenanceError when there is none, and when days have changed since the period was shown.
    """
    figure = {"division": division, "period": period.name, "measure": measure, "channel": channel}
    days = {"first": period.starts_on, "last": period.ends_on}
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as conn:
        found = run_sql(conn, "explain/period_value", figure).one_or_none()
        if found is None:
            raise ProvenanceError(
                f"mart.period_statistics has no row for {division}, {period.name}, {measure}, channel {channel}."
                f" Compute it: python -m etl indicators --period {period.name}"
            )
        rows = [dict(row._mapping) for row in run_sql(conn, "explain/period_days", figure | days)]
    if sum(row["value"] for row in rows) != (found.value or 0):
        raise ProvenanceError(
            f"{period.name} shows {found.value}, its days add up to {sum(row['value'] for row in rows)}: they have"
            f" changed since, or it is a stock. Run: python -m etl indicators --period {period.name}"
        )
    return Explanation(found.value, rows, None)


def _refuse_other_sum(figure: dict[str, Any], value: int | None, rows: list[dict[str, Any]]) -> None:
    if sum(row["value"] for row in rows) != (value or 0):
        raise RuntimeError(f"{figure}: the mart shows {value}, its submissions add up to something else")
