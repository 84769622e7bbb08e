"""Columns: what the groups of a report's declaration become, with the words in their heads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from etl.catalog import Catalog, Measure
from etl.catalog.report import (
    EvaluationColumns,
    Group,
    IndicatorColumns,
    MeasureColumns,
    Report,
    ReportingColumns,
    SatisfactionColumns,
    TrendColumns,
)
from etl.periods import Period
from etl.reports.table import Column
from etl.reports.units import Unit

FIGURES = {"value": "本期", "mom": "环比", "yoy": "同比", "ytd": "累计"}
REPORTING = {
    "expected": ("应报", "份", "count"),
    "received": ("实报", "份", "count"),
    "reporting_rate": ("报送率", "%", "ratio"),
    "on_time": ("按时", "份", "count"),
    "on_time_rate": ("按时报送率", "%", "ratio"),
    "late": ("迟报", "份", "count"),
    "late_after_cutoff": ("截止后补报", "份", "count"),
    "missing": ("缺报", "份", "count"),
    "rejected": ("退回", "份", "count"),
    "state": ("数据状态", "", "status"),
}
DATASETS = {"daily": "日报报送", "stocks": "月末数报送"}
INDICATORS = {
    "number": ("序号", "", "code"),
    "name": ("指标名称", "", "text"),
    "nature": ("属性", "", "status"),
    "unit": ("计量单位", "", "status"),
    "value": ("本期值", "", "figure"),
    "target": ("目标值", "", "target"),
    "attainment": ("完成程度", "%", "ratio"),
    "status": ("是否达标", "", "status"),
    "mom": ("环比", "", "difference"),
    "yoy": ("同比", "", "difference"),
    "ytd": ("累计", "", "figure"),
    "numerator": ("分子", "", "count"),
    "denominator": ("分母", "", "count"),
    "completeness": ("报送率", "%", "ratio"),
}
SATISFACTION = {
    "asked": ("测评份数", "份", "count"),
    "answered": ("回答份数", "份", "count"),
    "response_rate": ("应答率", "%", "ratio"),
    "delivered": ("服务量", "件次", "count"),
    "answered_share": ("参评率", "%", "ratio"),
    "rate": ("满意率", "%", "ratio"),
    "rate_low": ("区间下限", "%", "ratio"),
    "rate_high": ("区间上限", "%", "ratio"),
    "strict_rate": ("很满意和满意率", "%", "ratio"),
    "satisfied_share": ("满意占服务量", "%", "ratio"),
    "awareness": ("知晓率", "%", "ratio"),
    "first_choice": ("首选率", "%", "ratio"),
    "score": ("满意度得分", "分", "score"),
    "enough": ("样本", "", "status"),
    "ranks": ("位次区间", "", "status"),
}
EVALUATION = {
    "score": ("得分", "分", "score"),
    "grade": ("等次", "", "status"),
    "rank_in_parent": ("上级内位次", "", "rank"),
    "rank_in_province": ("全省位次", "", "rank"),
    "bonus": ("加分", "分", "score"),
    "deduction": ("扣分", "分", "score"),
    "missing": ("缺数据项", "项", "count"),
}
CODE, NAME = Column("code", ("单位代码",), "", "code"), Column("name", ("单位名称",), "", "text")
PARENT = Column("parent", ("上级单位",), "", "text")
NUMBER, INDICATOR = Column("number", ("序号",), "", "code"), Column("name", ("指标名称",), "", "text")


def columns_of(catalog: Catalog, report: Report, period: Period, top: Unit) -> list[Column]:
    """All columns of a report, in declared order, after those that say whose a row is."""
    if report.rows == "indicators":
        labels = [NUMBER, INDICATOR]
    else:
        labels = [CODE, NAME] if report.subtotals else [CODE, NAME, PARENT]
    found = {column.key: column for column in labels}
    for group in report.columns:
        for column in _columns(catalog, report, group, period, top):
            found.setdefault(column.key, column)
    return list(found.values())


def _columns(catalog: Catalog, report: Report, group: Group, period: Period, top: Unit) -> Iterator[Column]:
    show: str
    heads: tuple[str, ...]
    match group:
        case ReportingColumns(dataset=dataset, sheet=sheet):
            for show in group.shows:
                head, unit, kind = REPORTING[show]
                yield Column(f"reporting.{dataset}.{show}", (DATASETS[dataset], head), unit, kind, sheet)
        case MeasureColumns(measures=measures):
            for code in measures:
                yield from _of_measure(catalog, group, catalog.measures[code])
        case TrendColumns(measures=measures, sheet=sheet):
            for code in measures:
                measure = catalog.measures[code]
                for month in trend_months(period):
                    dated = (measure.name_zh, f"{month.starts_on.year}年", f"{month.starts_on.month}月")
                    yield Column(f"trend.{code}.{month.name}", dated, measure.unit, "count", sheet)
        case IndicatorColumns(shows=shows, sheet=sheet) if report.rows == "indicators":
            if group.below:
                for below in top.below:
                    yield Column(f"{below.code}.value", (below.name,), "", "figure", sheet)
                return
            for show in shows:
                head, _, kind = INDICATORS[show]
                yield Column(show, (head,), "", kind, sheet)
        case IndicatorColumns(shows=shows, sheet=sheet):
            for code in indicators_of(catalog, group):
                indicator = catalog.indicators[code]
                is_rate = indicator.kind == "rate"
                for show in shows:
                    head, words, kind = INDICATORS[show]
                    if kind in ("figure", "target"):
                        kind, words = ("ratio" if is_rate else "number"), indicator.unit
                    elif kind == "difference":
                        kind, words = ("points", "百分点") if is_rate else ("change", "%")
                    heads = (indicator.name_zh, head) if len(shows) > 1 else (indicator.name_zh,)
                    yield Column(f"{code}.{show}", heads, words, kind, sheet)
        case SatisfactionColumns(shows=shows, channels=channels, sheet=sheet):
            for channel in ("all", *(catalog.channels if channels else ())):
                name = catalog.channels[channel].name_zh if channel != "all" else "合计"
                for show in shows:
                    head, words, kind = SATISFACTION[show]
                    heads = (name, head) if channels else (head,)
                    yield Column(f"satisfaction.{channel}.{show}", heads, words, kind, sheet)
        case EvaluationColumns(shows=shows, sheet=sheet):
            for code, name in schemes_of(catalog, group, report, period):
                for show in shows:
                    head, words, kind = EVALUATION[show]
                    yield Column(f"{code}.{show}", (name, head), words, kind, sheet)


def _of_measure(catalog: Catalog, group: MeasureColumns, measure: Measure) -> Iterator[Column]:
    is_split = group.channels and len(measure.channels) > 1
    for show in group.shows:
        if measure.kind == "stock" and show == "ytd":
            continue
        kind, unit = ("count", measure.unit) if show in ("value", "ytd") else ("change", "%")
        head = FIGURES[show] if len(group.shows) > 1 else "合计" if is_split else ""
        heads = (measure.name_zh, head) if head else (measure.name_zh,)
        yield Column(f"{measure.code}.all.{show}", heads, unit, kind, group.sheet)
    if is_split:
        for channel in measure.channels:
            heads = (measure.name_zh, catalog.channels[channel].name_zh)
            yield Column(f"{measure.code}.{channel}.value", heads, measure.unit, "count", group.sheet)


def indicators_of(catalog: Catalog, group: IndicatorColumns) -> list[str]:
    """Codes of the indicators that a group names, in the order of their numbers."""
    if group.indicators is not None:
        return list(group.indicators)
    numbered = [
        each
        for each in catalog.indicators.values()
        if each.source.key == group.source and each.number is not None
    ]
    return [each.code for each in sorted(numbered, key=lambda each: each.number or 0)]


def schemes_of(
    catalog: Catalog, group: EvaluationColumns, report: Report, period: Period
) -> list[tuple[str, str]]:
    """Codes and names of the schemes whose scores a group shows."""
    fitting = [
        scheme
        for scheme in catalog.schemes.values()
        if period.kind in scheme.periods
        and set(scheme.levels) & set(report.row_levels)
        and scheme.valid_from <= period.ends_on
        and (scheme.valid_to is None or period.ends_on <= scheme.valid_to)
        and group.scheme in (None, scheme.code)
    ]
    return list({scheme.code: scheme.name_zh for scheme in fitting}.items())


def trend_months(period: Period) -> Sequence[Period]:
    """The twelve months up to the period's end."""
    months = [Period.around("month", period.ends_on)]
    while len(months) < 12:
        months.append(Period.around("month", months[-1].starts_on - timedelta(days=1)))
    return months[::-1]
