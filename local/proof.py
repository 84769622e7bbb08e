"""Proof that the marts show what the simulated platforms delivered, no more and no less."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from local.simulated import SimulatedError
from simulator.plan import FIRST
from simulator.simulation import Simulation
from simulator.truth import Truth
from simulator.world import World

DAILY = """
SELECT division_code, stat_date, measure, channel, value, units_expected, units_reported
FROM mart.daily_statistics WHERE stat_date = :day
"""
STOCKS = """
SELECT division_code, stat_date, measure, 'all' AS channel, value, figure.units_expected, figure.units_reported
FROM mart.stock_figure AS figure
JOIN core.division USING (division_id)
JOIN core.cell USING (cell_id)
JOIN core.measure USING (measure_id)
WHERE stat_date = :day
"""
SHOWN = 5
"""So many differences are named."""


def prove_equal(conn: Connection, simulation: Simulation) -> dict[str, int]:
    """Hold every figure of the simulated days and every stock of the months, of every division, with the units that
    were expected and that reported, against the simulator's truth; returns how many figures were compared at each
    level. Raises SimulatedError naming some that differ."""
    compared: Counter[str] = Counter()
    for query, truth in ((DAILY, simulation.truth(FIRST)), (STOCKS, simulation.stock_truth(FIRST))):
        for day in sorted(set(truth.reporting["stat_date"])):
            rows = conn.execute(sa.text(query), {"day": day})
            mart = pd.DataFrame(rows.all(), columns=list(rows.keys()))
            compared += _compare(_of_day(truth, day), mart, simulation.plan.world)
    return dict(compared)


def _of_day(truth: Truth, day: date) -> Truth:
    def mine(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[frame["stat_date"] == day]

    return replace(truth, daily=mine(truth.daily), reporting=mine(truth.reporting))


def _compare(truth: Truth, mart: pd.DataFrame, world: World) -> Counter[str]:
    _refuse(truth.differences(mart))
    counts = ["units_expected", "units_reported"]
    shown = mart[["division_code", "stat_date", *counts]].drop_duplicates()
    both = truth.reporting.merge(
        shown, on=["division_code", "stat_date"], how="left", suffixes=("_truth", "_mart")
    )
    wrong = [both[f"{name}_truth"] != both[f"{name}_mart"] for name in counts]
    _refuse(both[wrong[0] | wrong[1]])
    return Counter(truth.daily["division_code"].map(world.level))


def _refuse(differences: pd.DataFrame) -> None:
    if len(differences):
        some: Any = differences.head(SHOWN).to_string(index=False)
        raise SimulatedError(f"{len(differences)} figures of the marts are not those delivered:\n{some}")
