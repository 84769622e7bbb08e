"""Report: what an entry of reports/ declares, a consolidated table (汇总表) for the office (domain.md section 7)."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from etl.catalog.base import Code, Declared, Level, Name, Text, each_once
from etl.catalog.indicator import SourceKey

ReportPeriod = Literal["day", "month", "quarter", "year"]
Levels = Annotated[tuple[Level, ...], Field(min_length=1), AfterValidator(each_once)]
Codes = Annotated[tuple[Code, ...], Field(min_length=1), AfterValidator(each_once)]
MeasureShow = Literal["value", "mom", "yoy", "ytd"]
IndicatorShow = Literal[
    "number", "name", "nature", "unit", "value", "target", "attainment", "status", "mom", "yoy", "ytd",
    "numerator", "denominator", "completeness",
]  # fmt: skip
ReportingShow = Literal[
    "expected", "received", "reporting_rate", "on_time", "on_time_rate", "late", "late_after_cutoff", "missing",
    "rejected", "state",
]  # fmt: skip
SatisfactionShow = Literal[
    "asked", "answered", "response_rate", "delivered", "answered_share", "rate", "rate_low", "rate_high",
    "strict_rate", "satisfied_share", "awareness", "first_choice", "score", "enough", "ranks",
]  # fmt: skip
EvaluationShow = Literal[
    "score", "grade", "rank_in_parent", "rank_in_province", "bonus", "deduction", "missing"
]  # fmt: skip


class _Group(Declared):
    """A group of columns. sheet: the sheet that it stands on; a group without one stands on every sheet, as the
    columns of code and name do."""

    sheet: Text | None = None


class ReportingColumns(_Group):
    """Who has reported: submissions of a data set, counted once for each unit and day on which they were expected."""

    kind: Literal["reporting"]
    dataset: Literal["daily", "stocks"] = "daily"
    shows: Annotated[tuple[ReportingShow, ...], Field(min_length=1), AfterValidator(each_once)]


class MeasureColumns(_Group):
    """Figures of measures. channels: each channel's value beside the total. shows: of the total over channels; mom,
    yoy and ytd (环比, 同比, 累计) stand in months, quarters and years."""

    kind: Literal["measures"]
    measures: Codes
    channels: bool = False
    shows: Annotated[tuple[MeasureShow, ...], Field(min_length=1), AfterValidator(each_once)] = ("value",)


class TrendColumns(_Group):
    """The last twelve months of measures, each with a line (sparkline) beside it."""

    kind: Literal["trend"]
    measures: Codes


class IndicatorColumns(_Group):
    """Indicators, named one by one or all that a source numbers. Where rows are divisions there is a column per
    indicator and show, where rows are indicators a column per show. below: where rows are indicators, the value of
    every division directly below beside each other."""

    kind: Literal["indicators"]
    indicators: Codes | None = None
    source: SourceKey | None = None
    below: bool = False
    shows: Annotated[tuple[IndicatorShow, ...], Field(min_length=1), AfterValidator(each_once)] = ("value",)

    @model_validator(mode="after")
    def _names_indicators_once(self) -> Self:
        if (self.indicators is None) == (self.source is None):
            raise ValueError("either indicators or source was expected: delete one, or add one")
        return self


class SatisfactionColumns(_Group):
    """Satisfaction with its sample and interval, over all channels; channels: each channel beside it."""

    kind: Literal["satisfaction"]
    channels: bool = False
    shows: Annotated[tuple[SatisfactionShow, ...], Field(min_length=1), AfterValidator(each_once)]


class EvaluationColumns(_Group):
    """Scores, grades and ranks of the schemes that evaluate the period and a level of the rows; scheme: of one."""

    kind: Literal["evaluation"]
    scheme: Text | None = None
    shows: Annotated[tuple[EvaluationShow, ...], Field(min_length=1), AfterValidator(each_once)]


Group = Annotated[
    ReportingColumns
    | MeasureColumns
    | TrendColumns
    | IndicatorColumns
    | SatisfactionColumns
    | EvaluationColumns,
    Field(discriminator="kind"),
]
GROUPS = (
    ReportingColumns,
    MeasureColumns,
    TrendColumns,
    IndicatorColumns,
    SatisfactionColumns,
    EvaluationColumns,
)


class Report(Declared):
    """A consolidated table.

    number: 表号. issued_by: 制定机关; left out, the judicial office of the table's division. basis: 制表依据.
    unit: 计量单位. of_levels: of which divisions the table is made; row_levels: which divisions have rows in it.
    rows: divisions, or indicators of the one division. subtotals: divisions stand under the one they belong to,
    with the unit's own figures first, and fold; without, they stand in order alone. order: code, or how the key of a
    column ends, with - in front for the highest first. approval: whether a person approves the table before it is
    delivered. recipients, deliveries: ids of those entries; a table is issued of the whole area that reports and of the
    division of each recipient below it, whose level of_levels must name.
    """

    id: Name
    title: Text
    number: Text
    issued_by: Text | None = None
    basis: Text | None = None
    unit: Text = "见各栏"
    period_kinds: Annotated[tuple[ReportPeriod, ...], Field(min_length=1), AfterValidator(each_once)]
    of_levels: Levels = (Level.PROVINCE, Level.CITY, Level.COUNTY)
    row_levels: Levels = tuple(Level)
    rows: Literal["divisions", "indicators"] = "divisions"
    columns: Annotated[tuple[Group, ...], Field(min_length=1)]
    subtotals: bool = True
    order: Text = "code"
    notes: tuple[Text, ...] = ()
    footer: tuple[Text, ...] = ("单位负责人", "填表人", "报出日期")
    paper: Literal["A3", "A4"] = "A3"
    approval: bool = True
    recipients: Annotated[tuple[Name, ...], AfterValidator(each_once)] = ()
    deliveries: Annotated[tuple[Name, ...], AfterValidator(each_once)] = ()
