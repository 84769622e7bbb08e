"""Models of what the catalogue declares. Unknown keys are refused; every rule's source is domain.md or contract.md."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal

import chinese_calendar
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,63}$")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
DivisionCode = Annotated[str, Field(pattern=r"^[0-9]{12}$")]
Dataset = Literal["daily", "stocks"]
FAMILY = Literal["rest", "csv", "workbook", "database"]


class Level(StrEnum):
    """Levels of administrative division, from the top."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    TOWNSHIP = "township"
    VILLAGE = "village"


class Declared(BaseModel):
    """What every declaration has in common."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Channel(Declared):
    """One of the platforms through which services reach people."""

    code: Code
    name_zh: str
    name_en: str


class Measure(Declared):
    """What is counted. An empty `levels` or a missing `channels` means every one; a stock has no channel."""

    code: Code
    name_zh: str
    name_en: str
    unit: str
    kind: Literal["flow", "survey", "stock"]
    levels: tuple[Level, ...] = tuple(Level)
    channels: tuple[str, ...]
    ceiling: int = Field(gt=0)
    note: str = ""


class Platform(Declared):
    """A source platform (interface: platform declarations)."""

    id: Name
    family: FAMILY
    level: tuple[Level, ...] = Field(min_length=1)
    datasets: tuple[Dataset, ...] = Field(min_length=1)
    conn_id: Name
    area: tuple[DivisionCode, ...] = Field(min_length=1)
    calendar: str
    contact: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)

    @field_validator("level", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return value if isinstance(value, list | tuple) else (value,)


class Recipient(Declared):
    """Someone who is told about submissions."""

    id: Name
    name: str
    division: DivisionCode | None = None
    email: str | None = None
    webhook: str | None = None
    escalates_to: str | None = None


class Override(Declared):
    """Holidays and shifted workdays of a year that the calendar package does not know."""

    year: int
    holidays: tuple[date, ...] = ()
    workdays: tuple[date, ...] = ()

    @model_validator(mode="after")
    def _days_in_year(self) -> Override:
        strays = [day.isoformat() for day in (*self.holidays, *self.workdays) if day.year != self.year]
        if strays:
            raise ValueError(f"days outside the year {self.year}: {', '.join(strays)}")
        return self


class CalendarUnknown(Exception):
    """A day beyond the years whose workdays are known."""


class Calendar(Declared):
    """On which days units report: every day, or China's statutory workdays."""

    name: Name
    days: Literal["every", "work"]
    overrides: tuple[Override, ...] = ()
    note: str = ""

    def expects(self, day: date) -> bool:
        """Whether units of this calendar report on the day. Raises CalendarUnknown for a year nobody declared."""
        return self.days == "every" or self.is_workday(day)

    def is_workday(self, day: date) -> bool:
        """Whether the day is a statutory workday in China, shifted workdays included."""
        override = self._by_year.get(day.year)
        if override is not None:
            return day in override.workdays or (day.weekday() < 5 and day not in override.holidays)
        try:
            return bool(chinese_calendar.is_workday(day))
        except NotImplementedError:
            raise CalendarUnknown(
                f"Workdays of {day.year} are not known. Add the year under `overrides` of calendar {self.name} in the"
                " catalogue's calendars/ (the State Council announces it each November)."
            ) from None

    @cached_property
    def _by_year(self) -> dict[int, Override]:
        return {override.year: override for override in self.overrides}


class Checked(Declared):
    """What every balance check says of itself."""

    code: Code
    severity: Literal["critical", "warning"]
    message_zh: str
    message_en: str


class SenderTotal(Checked):
    """The sender's own totals (totals, 合计) equal the sum of the rows they are for."""

    kind: Literal["sender_total"]


class SumEquals(Checked):
    """The parts sum to the whole, per submission and channel."""

    kind: Literal["sum_equals"]
    parts: tuple[str, ...] = Field(min_length=2)
    whole: str


class AtMost(Checked):
    """The part is at most the whole: per submission and channel, or over the year to date plus an opening backlog."""

    kind: Literal["at_most"]
    part: str
    whole: str
    scope: Literal["submission", "year_to_date"] = "submission"


Check = Annotated[SenderTotal | SumEquals | AtMost, Field(discriminator="kind")]


class Catalog(Declared):
    """Everything that is declared, by code, name or id, in declared order."""

    channels: dict[str, Channel]
    measures: dict[str, Measure]
    platforms: dict[str, Platform]
    calendars: dict[str, Calendar]
    checks: dict[str, Check]
    recipients: dict[str, Recipient]

    def daily_measures(self) -> list[Measure]:
        """Measures of the daily data set: flows and the survey that rides with them."""
        return [measure for measure in self.measures.values() if measure.kind != "stock"]

    def measure_by_name(self) -> dict[str, str]:
        """Code of each measure by its Chinese name."""
        return {measure.name_zh: measure.code for measure in self.measures.values()}

    def channel_by_name(self) -> dict[str, str]:
        """Code of each channel by its Chinese name."""
        return {channel.name_zh: channel.code for channel in self.channels.values()}

    def pairs(self) -> list[tuple[str, str]]:
        """Every (measure, channel) of the daily data set that some level reports."""
        return [(measure.code, channel) for measure in self.daily_measures() for channel in measure.channels]
