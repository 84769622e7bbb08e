"""Provenance: what a published figure sums, down to the row of the file, now and as known at an earlier moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from etl.failures import Refused
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
    if sum(row["value"] for row in rows) != (found.value or 0):
        raise RuntimeError(
            f"{figure}: the mart shows {found.value}, its submissions add up to something else"
        )
    return Explanation(found.value, rows, moment)
