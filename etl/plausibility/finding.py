"""Finding: one question about one figure, before it is a flag."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from etl.plausibility.history import TOTAL, Figures

CLOSEST_TOTAL = 1.0
"""Where hardly anything is published of a measure, an effect counts as a share of one a day."""


@dataclass(frozen=True)
class Finding:
    """A figure that a rule asks about. It says what is unusual and never why: that is for the unit to say.

    measure, channel: None where the question is about a whole report. value: the figure in question, in the measure's
    unit of count. effect: by how much the published total would change if the figure were what was expected. score: the
    effect as a share of the usual daily total published.
    """

    check_code: str
    unit_code: str
    level: str
    measure: str | None
    channel: str | None
    value: int
    effect: int
    score: float
    message: str


@dataclass(frozen=True)
class Published:
    """The usual daily total of each measure at the highest division."""

    totals: Mapping[str, float]

    def share(self, measure: str, effect: float, days: int = 1) -> float:
        """The effect as a share of what is usually published over so many days."""
        return float(abs(effect)) / (max(self.totals.get(measure, 0.0), CLOSEST_TOTAL) * days)


def describe_series(figures: Figures, series: int) -> tuple[str, str, str, str, str]:
    """Unit code, level, measure, channel, and how the figure is called: 解答法律咨询（实体）."""
    line, cell = int(figures.owner[series]), figures.cells.loc[int(figures.cell[series])]
    code, level = (str(figures.divisions.at[line, each]) for each in ("code", "level"))
    name, channel = str(cell["measure_name"]), str(cell["channel"])
    if channel != TOTAL:
        name = f"{name}（{cell['channel_name']}）"
    return code, level, str(cell["measure"]), channel, name


def unit_of_count(figures: Figures, series: int) -> str:
    """件, 人次, …"""
    return str(figures.cells.at[int(figures.cell[series]), "unit"])


def shown(number: float) -> str:
    """A count as people write it: one decimal below ten, none from there on."""
    return f"{number:.0f}" if number >= 10 or number == int(number) else f"{number:.1f}"
