"""Early sight: what is estimated and forecast while submissions are missing, and from how much history."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from etl.catalog.base import Declared, Level, each_once

Count = Annotated[int, Field(gt=0, strict=True)]
Share = Annotated[float, Field(gt=0, le=1)]
Probability = Annotated[float, Field(ge=0.5, lt=1)]
Levels = Annotated[tuple[Level, ...], Field(min_length=1), AfterValidator(each_once)]
Measures = Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(each_once)]


class Estimate(Declared):
    """Totals of a month or quarter that has submissions missing or days to come.

    levels: of the divisions that get an estimate. calendar: which days are worked. history_days: read before the
    period. fewest_days: a unit that reported on fewer of them has no history. recent_days: what days to come are
    like. horizon_days: further ahead nothing is estimated. least_known: share of the missing reports that must be of
    units with history. probability: of the interval.
    """

    kind: Literal["estimate"]
    measures: Measures
    levels: Levels
    calendar: str
    history_days: Annotated[int, Field(ge=28, le=366, strict=True)]
    fewest_days: Count
    recent_days: Count
    horizon_days: Count
    least_known: Share
    probability: Probability

    @field_validator("levels")
    @classmethod
    def _villages_are_counted_together(cls, levels: tuple[Level, ...]) -> tuple[Level, ...]:
        if Level.VILLAGE in levels:
            raise ValueError(
                "no village was expected: a village's days are nearly all zero, its township's tell"
            )
        return levels


class Forecast(Declared):
    """Weekly totals of counties in the coming weeks.

    weeks: of history that are read; with fewer than fewest_weeks there is no forecast. horizon_weeks: ahead.
    least_reported: a day with a smaller share of its expected reports counts as missing. origins: last weeks from
    which forecasts are made as if it were then, to compare errors. least_gain: a forecast is shown only where its
    mean absolute error lies below the seasonal-naive one's by this share of it. probability: of the interval.
    rise_probability: a week above the limit that it stays below with this probability is asked about, where it lies
    above the forecast by least_rise and more.
    """

    kind: Literal["forecast"]
    measures: Measures
    calendar: str
    weeks: Annotated[int, Field(ge=30, le=260, strict=True)]
    fewest_weeks: Count
    horizon_weeks: Annotated[int, Field(ge=1, le=13, strict=True)]
    least_reported: Share
    origins: Annotated[int, Field(ge=4, strict=True)]
    least_gain: Annotated[float, Field(ge=0, lt=1)]
    probability: Probability
    rise_probability: Probability
    least_rise: Count

    @model_validator(mode="after")
    def _fits(self) -> Self:
        needed = self.fewest_weeks + self.origins + self.horizon_weeks
        if self.weeks < needed:
            raise ValueError(
                f"weeks of at least fewest_weeks + origins + horizon_weeks ({needed}) was expected,"
                " or nothing is ever forecast"
            )
        return self


EarlySight = Annotated[Estimate | Forecast, Field(discriminator="kind")]
EARLY_SIGHT = (Estimate, Forecast)
