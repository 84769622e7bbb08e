"""Whether reports fit what they show; each complaint is (folder, entry, words), as in consistency."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from etl.catalog.base import Level
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

if TYPE_CHECKING:
    from etl.catalog.models import Catalog

MOST_COLUMNS = {"A3": 48, "A4": 26}
"""Columns of figures that a sheet prints legibly (about 6 points), fitted to the width of the paper in landscape."""


def report_contradictions(catalog: Catalog) -> Iterator[tuple[str, str, str]]:
    """What no report can be refused for alone."""
    titles: dict[str, str] = {}
    for report in catalog.reports.values():
        other = titles.setdefault(report.title, report.id)
        if other != report.id:
            yield (
                "reports",
                report.id,
                f"key title: {other} has it already; files are named by it: choose another.",
            )
        for words in _complaints(report, catalog):
            yield "reports", report.id, words


def _complaints(report: Report, catalog: Catalog) -> Iterator[str]:
    for name in report.recipients:
        yield from _unknown("recipients", "recipient", name, catalog.recipients)
    unknown = [words for group in report.columns for words in _unknown_in(group, catalog)]
    yield from unknown
    yield from _rows(report)
    yield from _sheets(report)
    for group in report.columns:
        yield from _group(report, group, catalog)
    if not unknown:
        yield from _widths(report, catalog)


def _unknown_in(group: Group, catalog: Catalog) -> Iterator[str]:
    match group:
        case MeasureColumns(measures=measures) | TrendColumns(measures=measures):
            for name in measures:
                yield from _unknown("columns.measures", "measure", name, catalog.measures)
        case IndicatorColumns(indicators=tuple(indicators)):
            for name in indicators:
                yield from _unknown("columns.indicators", "indicator", name, catalog.indicators)
        case EvaluationColumns(scheme=str(scheme)):
            codes = {each.code: each for each in catalog.schemes.values()}
            yield from _unknown("columns.scheme", "scheme", scheme, codes)


def _unknown(key: str, what: str, name: str, known: Mapping[str, Any]) -> Iterator[str]:
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=1)
    shown = ", ".join(list(known)[:12]) + (", …" if len(known) > 12 else "")
    meant = f"Did you mean {near[0]}?" if near else f"Declared are: {shown or 'none'}."
    yield f"key {key} names the {what} {name}, which is not declared. {meant}"


def _rows(report: Report) -> Iterator[str]:
    is_table = report.rows == "indicators"
    strays = [each.kind for each in report.columns if isinstance(each, IndicatorColumns) is not is_table]
    if is_table and strays:
        yield f"key columns: rows are indicators, and {strays[0]} is of divisions: delete it, or make rows divisions."
    if is_table and report.subtotals:
        yield "key subtotals: indicators do not add up: write subtotals: false."
    sources = {
        (each.source, each.indicators) for each in report.columns if isinstance(each, IndicatorColumns)
    }
    if is_table and len(sources) > 1:
        yield "key columns: rows are the indicators of one source: name the same in every group."
    lowest = max(report.row_levels, key=lambda level: level.depth)
    depths = sorted(level.depth for level in report.row_levels)
    if report.subtotals and not is_table:
        if depths != list(range(depths[0], depths[-1] + 1)):
            missing = [
                level for level in Level if depths[0] < level.depth < depths[-1] and level.depth not in depths
            ]
            yield (
                f"key row_levels: subtotals are the sums of the level below, and {', '.join(missing)} is left out:"
                " add it, or write subtotals: false."
            )
        above = [level for level in report.of_levels if level.depth < depths[0] - 1]
        if above:
            first = report.row_levels[0]
            yield f"key of_levels: rows begin with {first}, which is not right below {above[0]}: mend one."
        if report.order != "code":
            yield "key order: with subtotals rows stand in the order of codes: delete it, or write subtotals: false."
    beyond = [level for level in report.of_levels if level.depth > lowest.depth]
    if beyond and not is_table:
        yield f"key of_levels: a {beyond[0]} has no rows in it, the lowest are of level {lowest}: delete {beyond[0]}."


def _sheets(report: Report) -> Iterator[str]:
    for name in {each.sheet for each in report.columns if each.sheet is not None}:
        if len(name) > 31 or any(character in "[]:*?/\\'" for character in name):
            yield f"key columns.sheet is {name}: at most 31 characters without [ ] : * ? / \\ ' were expected."
        if name in ("指标解释与数据质量", "变更说明"):
            yield f"key columns.sheet is {name}, a sheet that every workbook has: choose another."


def _group(report: Report, group: Group, catalog: Catalog) -> Iterator[str]:
    is_of_days = "day" in report.period_kinds
    match group:
        case MeasureColumns(measures=measures, shows=shows):
            compared = [show for show in shows if show != "value"]
            if is_of_days and compared:
                yield f"key columns.shows: a day has no {compared[0]}: delete it, or day from period_kinds."
            yield from _measures(measures, catalog, is_of_days)
        case TrendColumns(measures=measures):
            if is_of_days:
                yield "key columns.kind: trend is of months: delete the group, or day from period_kinds."
            yield from _measures(measures, catalog, True)
        case IndicatorColumns(source=str(source)):
            if catalog.indicators and not any(
                each.source.key == source and each.number is not None for each in catalog.indicators.values()
            ):
                yield f"key columns.source: {source} numbers no indicator: name them under indicators."
        case SatisfactionColumns() | EvaluationColumns():
            if is_of_days:
                yield f"key columns.kind: {group.kind} is of months and longer: delete it, or day from period_kinds."
        case ReportingColumns(dataset="stocks", shows=shows):
            if is_of_days:
                yield "key columns.dataset: stocks are of a month's end: delete the group, or day from period_kinds."
            if "state" in shows:
                yield "key columns.shows: state is of daily figures: delete it under dataset stocks."


def _measures(measures: tuple[str, ...], catalog: Catalog, is_of_flows: bool) -> Iterator[str]:
    for code in measures:
        kind = catalog.measures[code].kind if code in catalog.measures else "flow"
        if kind in ("survey", "carried"):
            yield (
                f"key columns.measures names {code}, an answer of the survey, whose small samples are not shown:"
                " use a group of kind satisfaction."
            )
        if kind == "stock" and is_of_flows:
            yield f"key columns.measures: {code} is kept at a month's end and has no days to show: delete it."


def _widths(report: Report, catalog: Catalog) -> Iterator[str]:
    widths: dict[str | None, int] = {}
    for group in report.columns:
        widths[group.sheet] = widths.get(group.sheet, 0) + _width(group, catalog)
    shared = widths.pop(None, 0)
    for sheet, width in (widths or {None: 0}).items():
        if width + shared > MOST_COLUMNS[report.paper]:
            yield (
                f"key columns: sheet {sheet or report.title} would have {width + shared} columns of figures, and"
                f" {report.paper} holds {MOST_COLUMNS[report.paper]} that can be read: spread them over sheets."
            )


def _width(group: Group, catalog: Catalog) -> int:
    match group:
        case MeasureColumns(measures=measures, channels=channels, shows=shows):
            split = (len(catalog.measures[code].channels) for code in measures) if channels else ()
            return len(measures) * len(shows) + sum(count for count in split if count > 1)
        case TrendColumns(measures=measures):
            return 13 * len(measures)
        case SatisfactionColumns(channels=channels, shows=shows):
            return len(shows) * (1 + len(catalog.channels) * channels)
        case IndicatorColumns(indicators=tuple(indicators), shows=shows):
            return len(indicators) * len(shows)
        case IndicatorColumns(below=True):
            return 0
        case _:
            return len(group.shows)
