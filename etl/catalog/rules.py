"""Rules of plausibility over time: windows, thresholds, and who is asked (domain.md section 2, issue of the same name).

A tail is a probability under the model of counts; deviations are robust standard deviations; days are calendar days
unless a name says otherwise.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from etl.catalog.base import Code, Declared, DivisionCode, Level, Text, each_once

Count = Annotated[int, Field(gt=0, strict=True)]
Tail = Annotated[float, Field(gt=0, lt=0.5)]
Share = Annotated[float, Field(gt=0, le=1)]
Factor = Annotated[float, Field(gt=1)]
Positive = Annotated[float, Field(gt=0)]
Levels = Annotated[tuple[Level, ...], Field(min_length=1), AfterValidator(each_once)]
Measures = Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(each_once)]


class History(Declared):
    """The past that a figure is held against.

    days: read before the day that is judged. fewest_days: with less of a unit's own past nothing is said about it.
    large_from: expected counts from which median and MAD are used instead of the negative binomial. peers: how many
    counts of its peers a day needs before their movement outweighs the habit of such a day.
    """

    kind: Literal["history"]
    days: Annotated[int, Field(ge=14, le=366, strict=True)]
    fewest_days: Count
    large_from: Positive
    peers: Positive

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.fewest_days > self.days:
            raise ValueError(
                f"fewest_days of at most days ({self.days}) was expected, or nothing is ever judged"
            )
        return self


class Queue(Declared):
    """How flags are worked off: due so many working days after the roll-up; explanations that say nothing are refused.

    bare_words are struck out of an explanation before what is left is counted in characters.
    """

    kind: Literal["queue"]
    calendar: str
    due_workdays: Count
    fewest_characters: Count
    bare_words: Annotated[tuple[Text, ...], Field(min_length=1), AfterValidator(each_once)]


class CountLimit(Declared):
    """A figure outside the limits of its own history: tail under the negative binomial, deviations of its logarithm
    from the median where volumes are large. least_effect: a smaller difference is not worth a question."""

    kind: Literal["count_limit"]
    levels: Levels
    tail: Tail
    deviations: Positive
    least_effect: Count


class TypingError(Declared):
    """Outside looser limits, and ordinary once the slip is mended. plausible_tail: the mended figure lies in no tail
    smaller than this; plausible_deviations: the same where volumes are large."""

    levels: Levels
    tail: Tail
    deviations: Positive
    plausible_tail: Tail
    plausible_deviations: Positive
    least_effect: Count


class Tenfold(TypingError):
    """A zero too many or the last digit lost."""

    kind: Literal["tenfold"]


class DigitTwice(TypingError):
    """A digit typed twice."""

    kind: Literal["digit_twice"]


class RepeatedDay(Declared):
    """All figures of a unit as on its report before. surprise: natural logarithm of how much less likely that is under
    the model than certainty, summed over the days of the run. within_days: an older report is not compared. follows:
    measures of which most are some of another one, beside the parts that checks declare; given that one, they surprise
    less."""

    kind: Literal["repeated_day"]
    levels: Levels
    surprise: Positive
    within_days: Count
    follows: dict[str, str]


class RepeatedVillage(Declared):
    """The same figures in so many reports in a row that are not nil, of at least least_total in all each."""

    kind: Literal["repeated_village"]
    reports: Annotated[int, Field(ge=3, strict=True)]
    least_total: Count
    within_days: Count


class LevelShift(Declared):
    """The sum of the recent days is ratio times what the days before lead to expect, or that part of it, and outside
    the deviations of such sums. most_dispersion: what goes up and down more than this from day to day (variance beyond
    chance, as a share of the expected count squared) has no level to speak of. least_reported: days on which fewer
    units reported are left out. quiet_days: said once in so many days."""

    kind: Literal["level_shift"]
    levels: Levels
    recent_days: Annotated[int, Field(ge=5, strict=True)]
    ratio: Factor
    deviations: Positive
    least_effect: Count
    most_dispersion: Positive
    least_reported: Share
    quiet_days: Count


class Heaping(Declared):
    """Of a unit's figures from least_value on, too many are multiples of base: share of them or more, and outside the
    deviations from how often its peers' figures of the same size are. Asked at the end of a month over days."""

    kind: Literal["heaping"]
    levels: Levels
    days: Count
    base: Annotated[int, Field(ge=2, le=100, strict=True)]
    least_value: Count
    fewest_figures: Count
    share: Share
    deviations: Positive


class AllSatisfied(Declared):
    """Nobody dissatisfied among so many answers over so many days, although that has only the probability tail at the
    peers' rate. Asked at the end of a month."""

    kind: Literal["all_satisfied"]
    levels: Levels
    days: Count
    answered: str
    dissatisfied: Measures
    fewest_answers: Count
    tail: Tail


class PeriodEnd(Declared):
    """The sum of a month's last reports is at least ratio times what is usual, and outside the deviations."""

    kind: Literal["period_end"]
    levels: Levels
    reports: Count
    ratio: Factor
    deviations: Positive
    least_effect: Count


class VillageGap(Declared):
    """The villages' sum is not what the county's own figure leads to expect, by more than ratio and the deviations,
    after what villages that have not reported would explain. recent_days against the history before them."""

    kind: Literal["village_gap"]
    recent_days: Annotated[int, Field(ge=5, strict=True)]
    ratio: Factor
    deviations: Positive
    least_effect: Count
    quiet_days: Count


class VillageSum(Declared):
    """A county's own figure equals the sum of its villages on so many reports in a row: counted twice. least_value: a
    smaller sum may be equal by chance."""

    kind: Literal["village_sum"]
    reports: Annotated[int, Field(ge=2, strict=True)]
    least_value: Count


Rule = Annotated[
    History
    | Queue
    | CountLimit
    | Tenfold
    | DigitTwice
    | RepeatedDay
    | RepeatedVillage
    | LevelShift
    | Heaping
    | AllSatisfied
    | PeriodEnd
    | VillageGap
    | VillageSum,
    Field(discriminator="kind"),
]
RULES = (
    History,
    Queue,
    CountLimit,
    Tenfold,
    DigitTwice,
    RepeatedDay,
    RepeatedVillage,
    LevelShift,
    Heaping,
    AllSatisfied,
    PeriodEnd,
    VillageGap,
    VillageSum,
)
WINDOWS = ("days", "within_days", "recent_days")
"""Keys that reach into the past, all within History.days."""


class Backlog(Declared):
    """What units had open when a year began (期初未结), for a check over the year to date (ruling 13)."""

    code: Code
    check: str
    year: Annotated[int, Field(ge=2000, le=2999, strict=True)]
    units: Annotated[dict[DivisionCode, Annotated[int, Field(ge=0, strict=True)]], Field(min_length=1)]
