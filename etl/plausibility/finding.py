"""Finding: one question about one figure, before it is a flag."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from etl.plausibility.history import TOTAL, Figures
from etl.rounding import rounded

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


@dataclass(frozen=True)
class Subject:
    """What a question is about: a unit's measure and channel. name (解答法律咨询（实体）) and unit (件) are for the
    words."""

    code: str
    level: str
    measure: str
    channel: str
    name: str
    unit: str


def subject_of(figures: Figures, series: int) -> Subject:
    """What a series is about."""
    line, cell = int(figures.owner[series]), figures.cells.loc[int(figures.cell[series])]
    code, level = (str(figures.divisions.at[line, each]) for each in ("code", "level"))
    name, channel = str(cell["measure_name"]), str(cell["channel"])
    if channel != TOTAL:
        name = f"{name}（{cell['channel_name']}）"
    return Subject(code, level, str(cell["measure"]), channel, name, str(cell["unit"]))


def ask(
    check: str,
    subject: Subject,
    value: float,
    effect: float,
    message: str,
    published: Published,
    days: int = 1,
) -> Finding:
    """The question about a figure that is a sum over so many days."""
    return Finding(
        check_code=check,
        unit_code=subject.code,
        level=subject.level,
        measure=subject.measure,
        channel=subject.channel,
        value=round(value),
        effect=round(effect),
        score=published.share(subject.measure, effect, days),
        message=message,
    )


def shown(number: float) -> str:
    """A count as people write it: one decimal below ten, none from there on."""
    return str(rounded(number, 0 if number >= 10 or number == int(number) else 1))
