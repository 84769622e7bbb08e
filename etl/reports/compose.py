"""Compose: one report of one division and period, read from the marts in one snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from etl.catalog import Catalog, Level, Measure
from etl.catalog.report import MeasureColumns, Report, ReportingColumns
from etl.periods import Period
from etl.reports import table as shape
from etl.reports.table import Cell, Column, NoFigure, Quality, ReportError, Table
from etl.reports.units import Unit, find_top, mask_of, read_units
from etl.warehouse import plan_for_bulk, run_sql, statement

SHOWS = {"value": "本期", "mom": "环比", "yoy": "同比", "ytd": "累计"}
REPORTING = {
    "expected": ("应报", "count"),
    "received": ("实报", "count"),
    "reporting_rate": ("报送率", "ratio"),
    "on_time": ("按时", "count"),
    "on_time_rate": ("按时率", "ratio"),
    "late": ("迟报", "count"),
    "late_after_cutoff": ("截止后补报", "count"),
    "missing": ("缺报", "count"),
    "rejected": ("退回", "count"),
}
LABELS = (
    Column("code", ("单位代码",), "", "code"),
    Column("name", ("单位名称",), "", "text"),
)
CHUNK = 20_000
"""Figures fetched at once; a province's villages have more than memory should hold."""


@dataclass
class Line:
    """A row that is being made. unit: whose it is; is_own: of its own unit alone."""

    unit: Unit
    style: str
    depth: int
    is_own: bool = False
    cells: list[Cell] = field(default_factory=list)

    @property
    def key(self) -> str:
        return f"{self.unit.code}/own" if self.is_own else self.unit.code


def compose_table(
    conn: Connection, catalog: Catalog, report: Report, division: str | None, period: Period
) -> Table:
    """The table of a division, or of the lowest one that has all reporting units in it, as the marts stand in the
    snapshot of the connection's transaction.

    Raises ReportError when the period is not shown yet, holds nothing of the division, or its totals do not add up.
    """
    if period.kind not in report.period_kinds:
        raise ReportError(
            f"{report.id} is made of a {' or a '.join(report.period_kinds)}; {period.name} is a {period.kind}."
        )
    _require_shown(conn, period)
    plan_for_bulk(conn)
    known_at: datetime = conn.execute(sa.text("SELECT transaction_timestamp()")).scalar_one()
    units = read_units(conn, catalog, period)
    top = find_top(units, period) if division is None else units.get(division)
    if top is None:
        raise ReportError(f"No unit of {division} was expected or has reported in {period.name}.")
    if top.level not in report.of_levels:
        raise ReportError(
            f"{report.id} is made of level {', '.join(report.of_levels)}; {top.name} is of level {top.level}."
        )
    lines = list(_lines(report, top))
    columns = [*LABELS, *_columns(catalog, report, period)]
    places = {column.key: number for number, column in enumerate(columns)}
    for line in lines:
        line.cells = [None] * len(columns)
        line.cells[:2] = [
            "" if line.is_own else line.unit.code,
            "其中：本级自报" if line.is_own else line.unit.name,
        ]
    for group in report.columns:
        match group:
            case ReportingColumns():
                _fill_reporting(group, lines, places)
            case MeasureColumns():
                _fill_measures(conn, catalog, group, period, lines, places)
    return Table(
        report=report,
        division_code=top.code,
        division_name=top.name,
        division_level=top.level,
        period=period,
        known_at=known_at,
        columns=tuple(columns),
        rows=tuple(
            shape.Row(line.key, line.unit.level, line.depth, line.style, tuple(line.cells)) for line in lines
        ),
        notes=(),
        quality=Quality(),
        definitions=(),
    )


def _require_shown(conn: Connection, period: Period) -> None:
    if period.kind == "day":
        state = run_sql(conn, "report/rollup_state", {"day": period.ends_on}).one_or_none()
        if state is None or not state.is_rolled_up:
            raise ReportError(
                f"{period.name} is not rolled up. Run: python -m etl run-day --date {period.name}"
            )
        if state.is_waiting:
            raise ReportError(
                f"{period.name} was loaded after it was rolled up; what runs now will roll it up. Try again then."
            )
    elif not run_sql(conn, "report/period_state", {"period": period.name}).scalar():
        raise ReportError(
            f"{period.name} was not totalled yet. Run: python -m etl indicators --period {period.name}"
        )


def _lines(report: Report, top: Unit) -> Iterator[Line]:
    """The rows: the whole first, every division before those below it, its own unit's figures between them."""
    if not report.subtotals:
        yield from (Line(unit, "row", 0) for unit in top.walk() if unit.level in report.row_levels)
        return
    levels = [top.level, *(level for level in report.row_levels if level.depth > top.level.depth)]
    yield from _branch(top, levels, 0)


def _branch(unit: Unit, levels: list[Level], depth: int) -> Iterator[Line]:
    below = [each for each in unit.below if each.level in levels]
    yield Line(unit, "total" if depth == 0 else "subtotal" if below else "row", depth)
    if below and (unit.own_expected or unit.own_reported):
        yield Line(unit, "own", depth + 1, is_own=True)
    for each in below:
        yield from _branch(each, levels, depth + 1)


# --- columns -------------------------------------------------------------------------------------------------


def _columns(catalog: Catalog, report: Report, period: Period) -> Iterator[Column]:
    for group in report.columns:
        match group:
            case ReportingColumns(shows=shows, sheet=sheet):
                for show in shows:
                    head, kind = REPORTING[show]
                    yield Column(
                        f"reporting.{show}", ("报送情况", head), "份" if kind == "count" else "%", kind, sheet
                    )
            case MeasureColumns(measures=measures):
                for code in measures:
                    yield from _measure_columns(catalog, group, catalog.measures[code])


def _measure_columns(catalog: Catalog, group: MeasureColumns, measure: Measure) -> Iterator[Column]:
    several = group.channels and len(measure.channels) > 1
    whole = ("合计",) if several else ()
    for show in group.shows:
        kind, unit = ("count", measure.unit) if show in ("value", "ytd") else ("change", "%")
        head = (SHOWS[show],) if len(group.shows) > 1 else ()
        yield Column(f"{measure.code}.all.{show}", (measure.name_zh, *whole, *head), unit, kind, group.sheet)
    if several:
        for channel in measure.channels:
            name = catalog.channels[channel].name_zh
            yield Column(
                f"{measure.code}.{channel}.value", (measure.name_zh, name), measure.unit, "count", group.sheet
            )


# --- figures -------------------------------------------------------------------------------------------------


def _fill_reporting(group: ReportingColumns, lines: Iterable[Line], places: Mapping[str, int]) -> None:
    for line in lines:
        for show in group.shows:
            line.cells[places[f"reporting.{show}"]] = _reporting(line, show)


def _reporting(line: Line, show: str) -> Cell:
    from decimal import Decimal

    unit = line.unit
    expected = unit.own_expected if line.is_own else unit.expected
    if line.is_own:
        received = min(unit.own_reported, expected)
        match show:
            case "expected":
                return expected
            case "received":
                return received
            case "reporting_rate":
                return Decimal(received) / expected if expected else NoFigure.NOT_DUE
            case _:
                return None
    match show:
        case "reporting_rate":
            return Decimal(unit.received) / expected if expected else NoFigure.NOT_DUE
        case "on_time_rate":
            return Decimal(unit.on_time) / expected if expected else NoFigure.NOT_DUE
        case "late_after_cutoff":
            return unit.received - unit.on_time - unit.late
        case "missing":
            return unit.expected - unit.received - unit.rejected if unit.is_over else NoFigure.NOT_DUE
        case _:
            value: int = getattr(unit, show)
            return value


def _fill_measures(
    conn: Connection,
    catalog: Catalog,
    group: MeasureColumns,
    period: Period,
    lines: list[Line],
    places: Mapping[str, int],
) -> None:
    whole = {line.unit.code: line for line in lines if not line.is_own}
    own = {line.unit.code: line for line in lines if line.is_own}
    params = {"period": period.name, "last_day": period.ends_on, "measures": list(group.measures)}
    figures = "report/day_figures" if period.kind == "day" else "report/period_figures"
    for level in {line.unit.level for line in lines}:
        codes = [code for code, line in whole.items() if line.unit.level == level]
        for row in _stream(conn, figures, {**params, "level": level, "codes": codes}):
            cells = whole[row.division_code].cells
            key = f"{row.measure}.{row.channel}"
            if (place := places.get(f"{key}.value")) is not None:
                cells[place] = row.value
            for show in ("mom", "yoy"):
                if (place := places.get(f"{key}.{show}")) is not None:
                    cells[place] = getattr(row, show)
    for to_date in period.to_date():
        if "ytd" in group.shows:
            for row in _stream(
                conn,
                "report/to_date_figures",
                {
                    "to_date": to_date.name if period.kind != "year" else period.name,
                    "measures": list(group.measures),
                    "codes": list(whole),
                },
            ):
                if (place := places.get(f"{row.measure}.{row.channel}.ytd")) is not None:
                    whole[row.division_code].cells[place] = row.value
    if own:
        name = "report/day_own" if period.kind == "day" else "report/period_own"
        for row in _stream(conn, name, {**params, "codes": list(own)}):
            if (place := places.get(f"{row.measure}.{row.channel}.value")) is not None:
                own[row.division_code].cells[place] = row.value
    _say_why_empty(catalog, group, lines, places)


def _say_why_empty(
    catalog: Catalog, group: MeasureColumns, lines: list[Line], places: Mapping[str, int]
) -> None:
    wanted = [
        (place, show, mask_of(catalog.measures[measure].levels))
        for measure, channel, show in (key.split(".") for key in places if key.count(".") == 2)
        if measure in group.measures and (place := places[f"{measure}.{channel}.{show}"])
    ]
    for line in lines:
        standing = line.unit.own if line.is_own else line.unit.standing
        reasons = {owing: standing.empty(owing) for _, _, owing in wanted}
        cells = line.cells
        for place, show, owing in wanted:
            if cells[place] is None:
                if show == "value" or (show == "ytd" and not line.is_own):
                    cells[place] = reasons[owing]
                elif not line.is_own:
                    cells[place] = NoFigure.NOT_APPLICABLE


def _stream(conn: Connection, name: str, params: Mapping[str, Any]) -> Iterator[Row[Any]]:
    """The rows of a statement, a chunk at a time."""
    options = {"stream_results": True, "yield_per": CHUNK}
    yield from conn.execute(statement(name), params, execution_options=options)
