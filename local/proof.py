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
SELECT division_code, stat_date, measure, 'all' AS channel, value
FROM mart.stock_figure
JOIN core.division USING (division_id)
JOIN core.cell USING (cell_id)
JOIN core.measure USING (measure_id)
WHERE stat_date = :day
"""
SHOWN = 5
"""So many differences are named."""


def prove_equal(conn: Connection, simulation: Simulation, month_end: date) -> dict[str, int]:
    """Hold every figure of the simulated days and every stock of a month, of every division, and the units that were
    expected and reported on the days, against the simulator's truth; returns how many figures were compared at each
    level. Raises SimulatedError naming some that differ."""
    compared: Counter[str] = Counter()
    daily, stocks = simulation.truth(FIRST), simulation.stock_truth(FIRST)
    for day in simulation.plan.days:
        mart = _read(conn, DAILY, day)
        compared += _compare_figures(daily, mart, day, simulation.plan.world)
        _compare_units(daily, mart, day)
    mart = _read(conn, STOCKS, month_end)
    return dict(compared + _compare_figures(stocks, mart, month_end, simulation.plan.world))


def _read(conn: Connection, query: str, day: date) -> pd.DataFrame:
    rows = conn.execute(sa.text(query), {"day": day})
    return pd.DataFrame(rows.all(), columns=list(rows.keys()))


def _compare_figures(truth: Truth, mart: pd.DataFrame, day: date, world: World) -> Counter[str]:
    mine = replace(truth, daily=truth.daily[truth.daily["stat_date"] == day])
    _refuse(mine.differences(mart))
    return Counter(mine.daily["division_code"].map(world.level))


def _compare_units(truth: Truth, mart: pd.DataFrame, day: date) -> None:
    counts = ["units_expected", "units_reported"]
    delivered = truth.reporting[truth.reporting["stat_date"] == day].set_index("division_code")[counts]
    shown = mart[["division_code", *counts]].drop_duplicates().set_index("division_code")
    both = delivered.merge(shown, "left", left_index=True, right_index=True, suffixes=("", "_shown"))
    _refuse(
        both[(both[counts].to_numpy() != both[[f"{each}_shown" for each in counts]].to_numpy()).any(axis=1)]
    )


def _refuse(differences: pd.DataFrame) -> None:
    if len(differences):
        some: Any = differences.head(SHOWN).to_string()
        raise SimulatedError(f"{len(differences)} figures of the marts are not those delivered:\n{some}")
