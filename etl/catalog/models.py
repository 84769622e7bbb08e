"""Models of what the catalogue declares. Unknown keys are refused; every rule's source is domain.md or contract.md."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cached_property
from typing import Annotated, Any, Literal, Self, TypeVar

import chinese_calendar
from pydantic import AfterValidator, Field, field_validator, model_validator

from etl.catalog.alert import AlertEntry, ChannelName, Delivery, Reason, Robot, Round, Wording
from etl.catalog.base import Code, Declared, DivisionCode, Level, Name, Text, each_once
from etl.catalog.bulletin import BulletinEntry
from etl.catalog.delivery import DeliveryTarget
from etl.catalog.early_sight import EarlySight
from etl.catalog.indicator import Indicator
from etl.catalog.report import Report
from etl.catalog.rules import Backlog, RepeatedDay, Rule
from etl.catalog.scheme import Evidence, Scheme
from etl.catalog.survey import Satisfaction
from etl.catalog.timeliness import Completeness, ReportingException
from etl.catalog.viewer import Viewer
from etl.failures import Refused

TIME_PATTERN = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
WEBHOOK_PATTERN = r"^https?://\S+$"
EMAIL_PATTERN = r"^[^@\s]+@[^@\s]+$"

Dataset = Literal["daily", "stocks"]
DATASET_OF: dict[str, Dataset] = {"flow": "daily", "survey": "daily", "stock": "stocks"}
"""The data set that measures of a kind are reported in."""
Family = Literal["rest", "csv", "workbook", "database"]
AnyRule = TypeVar("AnyRule", bound=Declared)


class Channel(Declared):
    """One of the three platforms (三大平台) through which services reach people. `all` is the total over them."""

    code: Code
    name_zh: Text
    name_en: Text

    @field_validator("code")
    @classmethod
    def _is_not_the_total(cls, code: str) -> str:
        if code == "all":
            raise ValueError("another code was expected: all stands for the total over channels")
        return code


class Measure(Declared):
    """What is counted (domain.md, section 2).

    kind: flow and survey are counted per unit, day and channel; a stock is a month-end level without channel.
    levels: who reports it. ceiling: the most that one unit can report (per day and channel, or at a month's end).
    required: a submission of such a level without it is partial (ruling 4). A carried measure is reported by nobody: it
    is what `sums` says, over only the submissions that have `carrying` in the same channel (ruling 18).
    carry_months: so many months a unit's last value of a stock stands in for one that is missing, and the result says
    since when; 0: nothing is carried forward.
    is_service: counts among all services delivered; what is a part of another measure does not.
    """

    code: Code
    name_zh: Text
    name_en: Text
    unit: Text
    kind: Literal["flow", "survey", "stock", "carried"]
    levels: Annotated[tuple[Level, ...], Field(min_length=1), AfterValidator(each_once)] = tuple(Level)
    channels: Annotated[tuple[str, ...], AfterValidator(each_once)]
    ceiling: Annotated[int, Field(gt=0, strict=True)]
    required: bool = False
    sums: str | None = None
    carrying: str | None = None
    carry_months: Annotated[int, Field(ge=0, le=12, strict=True)] = 0
    note: str = ""
    is_service: bool = False

    @model_validator(mode="after")
    def _channels_follow_kind(self) -> Self:
        if self.kind == "stock" and self.channels:
            raise ValueError("a stock has no channels: delete the key channels")
        if self.kind != "stock" and not self.channels:
            raise ValueError("at least one channel was expected; delete the key channels when all report it")
        return self

    @model_validator(mode="after")
    def _only_carried_measures_are_made_of_others(self) -> Self:
        if (self.kind == "carried") != (self.sums is not None) or (self.sums is None) != (
            self.carrying is None
        ):
            raise ValueError(
                "keys sums and carrying were expected of kind carried, both, and of no other kind"
            )
        return self

    @model_validator(mode="after")
    def _only_a_stock_is_carried(self) -> Self:
        if self.carry_months and self.kind != "stock":
            raise ValueError("only a stock is carried forward: delete the key carry_months")
        return self

    @property
    def dataset(self) -> Dataset | None:
        """The data set it is reported in."""
        return DATASET_OF.get(self.kind)

    @property
    def reported_in(self) -> tuple[str, ...]:
        """The channels of its figures; a stock has none of its own and stands under the total over them."""
        return self.channels or ("all",)


class Platform(Declared):
    """A source platform (interface: platform declarations). Units of `level` inside `area` report through it."""

    id: Name
    family: Family
    level: Annotated[tuple[Level, ...], Field(min_length=1), AfterValidator(each_once)]
    datasets: Annotated[tuple[Dataset, ...], Field(min_length=1), AfterValidator(each_once)]
    conn_id: Name
    area: Annotated[tuple[DivisionCode, ...], Field(min_length=1), AfterValidator(each_once)]
    calendar: Text
    contact: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)

    @field_validator("level", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return value if isinstance(value, list | tuple) else (value,)

    @model_validator(mode="after")
    def _stocks_come_over_rest(self) -> Self:
        if "stocks" in self.datasets and self.family != "rest":
            raise ValueError("datasets: only a platform of family rest delivers stocks (contract, A)")
        return self


class Recipient(Declared):
    """Someone who is told about submissions.

    division: whose contact this is. robot: a group robot of WeCom, DingTalk or Feishu, or whatever apprise can reach;
    its address, token and secret stand in the Airflow connection robot_conn_id. webhook: an address that takes JSON;
    what it receives is signed with the password of webhook_conn_id. escalates_to stands in where no channel is
    declared.
    """

    id: Name
    name: Text
    division: DivisionCode | None = None
    email: Annotated[str, Field(pattern=EMAIL_PATTERN)] | None = None
    robot: Robot | None = None
    robot_conn_id: Name | None = None
    webhook: Annotated[str, Field(pattern=WEBHOOK_PATTERN)] | None = Field(default=None, repr=False)
    webhook_conn_id: Name | None = None
    escalates_to: str | None = None

    @model_validator(mode="after")
    def _secrets_stand_in_connections(self) -> Self:
        if (self.robot is None) != (self.robot_conn_id is None):
            raise ValueError("robot and robot_conn_id were expected together, or neither")
        if self.webhook_conn_id is not None and self.webhook is None:
            raise ValueError(
                "webhook_conn_id signs what goes to a webhook: add the key webhook, or delete it"
            )
        return self

    def channels(self, order: Sequence[ChannelName]) -> list[ChannelName]:
        """The channels that this recipient has, in the given order."""
        return [name for name in order if getattr(self, name) is not None]


class Override(Declared):
    """A year's holidays and shifted workdays (调休) as the State Council announces them."""

    year: Annotated[int, Field(ge=2000, le=2999, strict=True)]
    holidays: Annotated[tuple[date, ...], Field(min_length=1), AfterValidator(each_once)]
    workdays: Annotated[tuple[date, ...], AfterValidator(each_once)] = ()

    @model_validator(mode="after")
    def _days_make_sense(self) -> Self:
        _refuse(f"days of {self.year} were expected", [day for day in self._days if day.year != self.year])
        _refuse(
            "workdays are Saturdays and Sundays that are worked",
            [day for day in self.workdays if day.weekday() < 5],
        )
        _refuse("a day is either off or worked", [day for day in self.workdays if day in self.holidays])
        return self

    @property
    def _days(self) -> tuple[date, ...]:
        return (*self.holidays, *self.workdays)


def _refuse(rule: str, strays: Sequence[date]) -> None:
    if strays:
        raise ValueError(f"{rule}, not {', '.join(day.isoformat() for day in strays)}")


class CalendarUnknown(Refused):
    """A day beyond the years whose workdays are known; the message says which file to write."""


class Calendar(Declared):
    """On which days units report: every day, or China's statutory workdays; and by when (domain.md, section 6).

    due, cutoff: hours in Asia/Shanghai, of the day and of this calendar's next day. stocks_workday: month-end figures
    are due on that working day of the next month. Workdays come from the package chinesecalendar; a year under
    `overrides` goes before it.
    """

    name: Name
    days: Literal["every", "work"]
    due: Annotated[str, Field(pattern=TIME_PATTERN)] = "18:00"
    cutoff: Annotated[str, Field(pattern=TIME_PATTERN)] = "10:00"
    stocks_workday: Annotated[int, Field(ge=1, le=20, strict=True)] = 5
    overrides: tuple[Override, ...] = ()
    note: str = ""

    @field_validator("overrides")
    @classmethod
    def _a_year_once(cls, overrides: tuple[Override, ...]) -> tuple[Override, ...]:
        each_once(tuple(override.year for override in overrides))
        return overrides

    def expects(self, day: date) -> bool:
        """Whether units of this calendar report on the day. Raises CalendarUnknown for a year nobody declared."""
        return self.days == "every" or self.is_workday(day)

    def is_workday(self, day: date) -> bool:
        """Whether the day is a statutory workday in China, shifted workdays included. Raises CalendarUnknown."""
        override = self._by_year.get(day.year)
        if override is not None:
            return day in override.workdays or (day.weekday() < 5 and day not in override.holidays)
        try:
            return bool(chinese_calendar.is_workday(day))
        except NotImplementedError:
            raise CalendarUnknown(
                f"The workdays of {day.year} are not known (asked for {day}). Copy the project's folder calendars/"
                " into the folder that PLS_CATALOG names, and in calendars/calendars.yaml add to calendar"
                f" {self.name}, as the State Council announces them each November:"
                f" overrides: [{{year: {day.year}, holidays: [{day.year}-01-01, …], workdays: [weekend days worked]}}]"
            ) from None

    def is_worked(self, day: date) -> bool:
        """The same, for what cannot wait for the year to be declared: beyond the known years, Monday to Friday are."""
        try:
            return self.is_workday(day)
        except CalendarUnknown:
            return day.weekday() < 5

    def workday_after(self, day: date, count: int, *, is_guess: bool = False) -> date:
        """The so-manieth working day after a day; the day itself for 0.

        Raises CalendarUnknown beyond the known years, unless it may be a guess (`is_worked`).
        """
        is_counted = self.is_worked if is_guess else self.is_workday
        while count:
            day += timedelta(days=1)
            count -= is_counted(day)
        return day

    def last_known_day(self, today: date) -> date:
        """The last day, from today on, whose workdays are known; today where none are."""
        last = today
        while True:
            year = last.year + (last == date(last.year, 12, 31))
            try:
                self.is_workday(date(year, 12, 31))
            except CalendarUnknown:
                return last
            last = date(year, 12, 31)

    @cached_property
    def _by_year(self) -> dict[int, Override]:
        return {override.year: override for override in self.overrides}


Scope = Literal["submission", "year_to_date"]


class Checked(Declared):
    """What every balance check says of itself (domain.md section 2, ruling 13)."""

    code: Code
    severity: Literal["critical", "warning"]
    message_zh: Text
    message_en: Text


class SenderTotal(Checked):
    """The sender's own totals (totals, 合计) equal the sum of the rows they are for."""

    kind: Literal["sender_total"]

    def measures(self) -> tuple[str, ...]:
        """The measures it names: none, totals are over any."""
        return ()


class SumEquals(Checked):
    """The parts sum to the whole, per submission and channel."""

    kind: Literal["sum_equals"]
    parts: Annotated[tuple[str, ...], Field(min_length=2), AfterValidator(each_once)]
    whole: str

    def measures(self) -> tuple[str, ...]:
        """The measures it compares."""
        return (*self.parts, self.whole)


class AtMost(Checked):
    """The part is at most the whole: per submission and channel, or over the year to date plus an opening backlog."""

    kind: Literal["at_most"]
    part: str
    whole: str
    scope: Scope = "submission"

    @model_validator(mode="after")
    def _only_a_submission_is_held_back(self) -> Self:
        if self.severity == "critical" and self.scope != "submission":
            raise ValueError("severity warning was expected: a sum over the year holds no submission back")
        return self

    def measures(self) -> tuple[str, ...]:
        """The measures it compares."""
        return (self.part, self.whole)


Check = Annotated[SenderTotal | SumEquals | AtMost, Field(discriminator="kind")]


class Retention(Declared):
    """How long what can be made again is kept: days after the statistical day (backups: after they were made)."""

    what: Literal["archive", "data_docs", "backup"]
    keep_days: Annotated[int, Field(ge=1, strict=True)]


class Catalog(Declared):
    """Everything that is declared, by code, name or id, in declared order."""

    channels: dict[str, Channel]
    measures: dict[str, Measure]
    platforms: dict[str, Platform]
    calendars: dict[str, Calendar]
    checks: dict[str, Check]
    recipients: dict[str, Recipient]
    deliveries: dict[str, DeliveryTarget]
    plausibility: dict[str, Rule]
    backlogs: dict[str, Backlog]
    retention: dict[str, Retention]
    exceptions: dict[str, ReportingException]
    periods: dict[str, Completeness]
    alerts: dict[str, AlertEntry]
    schemes: dict[str, Scheme]
    evidence: dict[str, Evidence]
    indicators: dict[str, Indicator]
    satisfaction: dict[str, Satisfaction]
    outlook: dict[str, EarlySight]
    bulletins: dict[str, BulletinEntry]
    viewers: dict[str, Viewer]
    reports: dict[str, Report]

    def rounds(self) -> list[Round]:
        """The rungs of the ladder, in declared order."""
        return [each for each in self.alerts.values() if isinstance(each, Round)]

    def delivery(self) -> Delivery:
        """How alerts are delivered."""
        return next(each for each in self.alerts.values() if isinstance(each, Delivery))

    def wording(self, reason: Reason) -> Wording:
        """The words of a digest."""
        return next(
            each for each in self.alerts.values() if isinstance(each, Wording) and each.code == reason
        )

    def measures_of(self, dataset: Dataset) -> list[Measure]:
        """Measures of a data set: daily are flows and the survey that rides with them."""
        return [measure for measure in self.measures.values() if measure.dataset == dataset]

    def platforms_of(self, dataset: Dataset) -> dict[str, Platform]:
        """Platforms that deliver a data set, by id."""
        return {name: each for name, each in self.platforms.items() if dataset in each.datasets}

    def channels_of(self, dataset: Dataset) -> list[str]:
        """Codes of the channels that figures of a data set come in."""
        return ["all"] if dataset == "stocks" else list(self.channels)

    def horizons(self, today: date) -> dict[str, date]:
        """The last day whose workdays are known, by calendar of workdays."""
        return {
            name: each.last_known_day(today) for name, each in self.calendars.items() if each.days == "work"
        }

    def daily_measures(self) -> list[Measure]:
        """Measures of the daily data set."""
        return self.measures_of("daily")

    def carried_measures(self) -> list[Measure]:
        """Measures that nobody reports and that are summed from others."""
        return [measure for measure in self.measures.values() if measure.kind == "carried"]

    def services(self) -> list[str]:
        """Codes of the measures that count among all services delivered."""
        return [measure.code for measure in self.measures.values() if measure.is_service]

    def daily_platforms(self) -> dict[str, Platform]:
        """Platforms that deliver the daily data set, by id."""
        return self.platforms_of("daily")

    def rule(self, kind: type[AnyRule]) -> AnyRule | None:
        """The plausibility rule of a kind; None when it is not declared, that is, muted."""
        return next((each for each in self.plausibility.values() if isinstance(each, kind)), None)

    def satisfaction_rule(self) -> Satisfaction:
        """How satisfaction is computed: the only entry of its folder."""
        return self.satisfaction["satisfaction"]

    def wholes(self) -> dict[tuple[str, ...], str]:
        """Measures that a check declares to be parts of another one, or a rule to follow it, with that one: several
        parts that share it, or one part alone."""
        checks = self.checks.values()
        repeated = self.rule(RepeatedDay)
        follows = {} if repeated is None else repeated.follows
        shared = {each.parts: each.whole for each in checks if isinstance(each, SumEquals)}
        alone = {each.part: each.whole for each in checks if isinstance(each, AtMost)}
        return shared | {(part,): whole for part, whole in (follows | alone).items()}

    def opening_backlog(self, check: str, year: int) -> dict[str, int]:
        """What units had open when the year began, in the check's own unit of count, by division code."""
        declared = (each for each in self.backlogs.values() if (each.check, each.year) == (check, year))
        return {unit: count for each in declared for unit, count in each.units.items()}

    def measure_by_name(self) -> dict[str, str]:
        """Code of each measure by its Chinese name."""
        return {measure.name_zh: measure.code for measure in self.measures.values()}

    def channel_by_name(self) -> dict[str, str]:
        """Code of each channel by its Chinese name."""
        return {channel.name_zh: channel.code for channel in self.channels.values()}

    def pairs(self) -> list[tuple[str, str]]:
        """Every (measure, channel) of the daily data set that some level reports."""
        return [(measure.code, channel) for measure in self.daily_measures() for channel in measure.channels]
