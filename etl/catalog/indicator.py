"""Indicator: what an entry of indicators/ declares (domain.md section 3, rulings 15 to 21)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from etl.catalog.base import Code, Declared, Level, Text, each_once
from etl.catalog.formula import Formula, parse_formula

PERCENT = "%"
IndicatorPeriod = Literal["day", "month", "quarter", "year"]
SourceKey = Literal["SD-2025", "FJ-2017", "LYG-2018", "SUZ-2016", "LY-2025", "specification"]
Amount = Annotated[Decimal, Field(ge=0)]


class Target(Declared):
    """What is to be reached: a value by a day (left out: always), or rising or falling year on year.

    Rates are ratios (1 = 100 %). levels: of whom it is asked, where not of all that have the indicator. reason: why the
    target of a rate is above 1.
    """

    by: date | None = None
    at_least: Amount | None = None
    at_most: Amount | None = None
    trend: Literal["rising", "falling"] | None = None
    levels: Annotated[tuple[Level, ...], Field(min_length=1), AfterValidator(each_once)] | None = None
    reason: Text | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if [self.at_least, self.at_most, self.trend].count(None) != 2:
            raise ValueError("one of at_least, at_most and trend was expected")
        return self

    @property
    def value(self) -> Decimal | None:
        """The amount; None for a trend."""
        return self.at_most if self.at_least is None else self.at_least

    @property
    def direction(self) -> Literal["higher", "lower"]:
        """Which way is better if this is the target."""
        return "lower" if self.at_most is not None or self.trend == "falling" else "higher"


class Source(Declared):
    """The document that asks for the indicator, its words and where they stand.

    is_inferred: formula or target is a reading of ours; the note says which.
    """

    key: SourceKey
    quote: Text
    place: Text
    is_inferred: bool = False
    note: Text | None = None

    @model_validator(mode="after")
    def _says_what_is_inferred(self) -> Self:
        if self.is_inferred and self.note is None:
            raise ValueError("a note that says what is inferred was expected")
        return self


class Indicator(Declared):
    """A figure that divisions are judged by.

    kind: a rate is a ratio shown in percent and changes in percentage points, a volume changes in percent. levels: of
    the divisions that have it. periods: for which it is computed. annualised: for what a source asks per year; true
    scales a part of a year to the whole, false judges whole years only. reference: an amount that a source names
    without making it a target of these periods.
    """

    code: Code
    number: Annotated[int, Field(ge=1, strict=True)] | None = None
    name_zh: Text
    name_en: Text
    formula: Text
    unit: Text
    kind: Literal["rate", "volume"]
    levels: Annotated[tuple[Level, ...], Field(min_length=1), AfterValidator(each_once)]
    periods: Annotated[tuple[IndicatorPeriod, ...], Field(min_length=1), AfterValidator(each_once)]
    nature: Literal["binding", "expected"] | None = None
    direction: Literal["higher", "lower", "none"]
    targets: tuple[Target, ...] = ()
    annualised: bool | None = None
    reference: Text | None = None
    source: Source

    @field_validator("formula")
    @classmethod
    def _can_be_read(cls, formula: str) -> str:
        parse_formula(formula)
        return formula

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.unit == PERCENT) != (self.kind == "rate"):
            raise ValueError("kind rate and unit % belong together, everything else is a volume")
        if self.kind == "rate" and self.parsed.factor != 1:
            raise ValueError("a rate is kept as a ratio (1 = 100 %): delete the factor")
        if self.direction == "none" and self.targets:
            raise ValueError(
                "direction is none, yet there are targets: say which way is better, or delete them"
            )
        if self.direction != "none" and not self.targets:
            raise ValueError(
                f"targets are missing: direction {self.direction} says that one is to be reached"
            )
        for target in self.targets:
            if target.direction != self.direction:
                raise ValueError(
                    f"direction is {self.direction}, yet a target says that {target.direction} is better"
                )
            if (
                self.kind == "rate"
                and target.value is not None
                and target.value > 1
                and target.reason is None
            ):
                raise ValueError(
                    f"the target {target.value} of a rate is above 1, that is 100 %: write ratios"
                    f" ({target.value / 100:f} for {target.value} %), or give a reason"
                )
            strangers = [level for level in target.levels or () if level not in self.levels]
            if strangers:
                raise ValueError(f"targets name level {', '.join(strangers)}, which has not this indicator")
        days = [target.by for target in self.targets]
        if len(days) > 1 and (None in days or days != sorted(set(days), key=str)):
            raise ValueError("targets: each with a day in by was expected, in order of these days")
        return self

    @cached_property
    def parsed(self) -> Formula:
        """The formula as its parts."""
        return parse_formula(self.formula)
