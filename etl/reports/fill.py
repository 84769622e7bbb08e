"""Fill: the figures of a table's cells, read from the marts group by group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.engine import Connection, Row

from etl.catalog import Catalog
from etl.catalog.indicator import Indicator
from etl.catalog.report import (
    EvaluationColumns,
    IndicatorColumns,
    MeasureColumns,
    Report,
    ReportingColumns,
    SatisfactionColumns,
    TrendColumns,
)
from etl.catalog.survey import survey_channels
from etl.periods import Period
from etl.reports.columns import indicators_of, schemes_of, trend_months
from etl.reports.table import Cell, Column, NoFigure
from etl.reports.units import Standing, Unit, mask_of
from etl.rounding import exact, share
from etl.warehouse import run_sql, statement

CHUNK = 20_000
"""Figures fetched at once: a province's villages have more than memory should hold."""
STATUSES = {"met": "达标", "not_met": "未达标", "no_data": "无数据"}
NATURES = {"binding": "约束性", "expected": "预期性"}
STATES = {True: "初步", False: "正式"}
HIDDEN_WITH_SCORE = ("score", "grade", "rank_in_parent", "rank_in_province")
REASONS = {"no_data": NoFigure.MISSING, "not_applicable": NoFigure.NOT_APPLICABLE}


@dataclass
class Line:
    """A row that is being made. unit: whose it is; is_own: of its own unit; indicator: of a table of indicators."""

    unit: Unit
    style: str
    depth: int
    is_own: bool = False
    indicator: Indicator | None = None
    cells: list[Cell] = field(default_factory=list)

    @property
    def key(self) -> str:
        if self.indicator is not None:
            return self.indicator.code
        return f"{self.unit.code}/own" if self.is_own else self.unit.code

    @property
    def words(self) -> str:
        """The unit of count of an indicator."""
        return "" if self.indicator is None else self.indicator.unit

    @property
    def standing(self) -> Standing:
        return self.unit.own if self.is_own else self.unit.standing


@dataclass(frozen=True)
class Difference:
    """A stored total that is not the sum of its parts. units: codes of the divisions of both."""

    line: Line
    column: Column
    stored: int
    added: int
    units: frozenset[str]


class Grid:
    """Lines and columns; cells are addressed by the code of a division and the key of a column."""

    def __init__(self, lines: list[Line], columns: list[Column]) -> None:
        self.lines, self.columns = lines, columns
        self.places = {column.key: number for number, column in enumerate(columns)}
        self.whole = {line.key: line for line in lines if not line.is_own}
        self.own = {line.unit.code: line for line in lines if line.is_own}
        for line in lines:
            line.cells = [None] * len(columns)

    def put(self, row: str, column: str, cell: Cell) -> None:
        """Write a cell where there is such a row and column."""
        if (line := self.whole.get(row)) is not None and (place := self.places.get(column)) is not None:
            line.cells[place] = cell

    def keys(self, prefix: str) -> list[tuple[int, str]]:
        """Place and key of the columns whose key begins so."""
        return [(place, key) for key, place in self.places.items() if key.startswith(prefix)]

    def differing_sums(self) -> Iterator[Difference]:
        """Totals of counts that are not what the lines directly below add up to."""
        additive = [place for place, column in enumerate(self.columns) if is_additive(column)]
        below: dict[int, list[Line]] = {}
        latest: dict[int, int] = {}
        for number, line in enumerate(self.lines):
            latest[line.depth] = number
            if line.depth:
                below.setdefault(latest[line.depth - 1], []).append(line)
        for number, parts in below.items():
            line = self.lines[number]
            units = frozenset({line.unit.code, *(part.unit.code for part in parts)})
            for place in additive:
                stored = line.cells[place]
                added = [cell for part in parts if isinstance(cell := part.cells[place], int)]
                if isinstance(stored, int) and stored != sum(added):
                    yield Difference(line, self.columns[place], stored, sum(added), units)


def is_additive(column: Column) -> bool:
    """Whether a subtotal of the column is the sum of the lines below it: a measure's value or a count of reports."""
    return column.kind == "count" and (
        column.key.endswith(".value")
        or column.key in ("reporting.daily.expected", "reporting.daily.received")
    )


def fill(conn: Connection, catalog: Catalog, report: Report, period: Period, grid: Grid) -> None:
    """Write every cell of the grid: a figure, or why there is none."""
    for line in grid.lines:
        _label(line, grid)
    measured = [group for group in report.columns if isinstance(group, MeasureColumns)]
    if measured:
        _measures(conn, catalog, measured, period, grid)
    for group in report.columns:
        match group:
            case ReportingColumns(dataset="daily"):
                _reporting(group, grid)
            case ReportingColumns():
                _stock_reporting(conn, group, period, grid)
            case TrendColumns():
                _trend(conn, catalog, group, period, grid)
            case IndicatorColumns():
                _indicators(conn, catalog, report, group, period, grid)
            case SatisfactionColumns():
                _satisfaction(conn, group, period, grid)
            case EvaluationColumns():
                _evaluation(conn, catalog, report, group, period, grid)


def _label(line: Line, grid: Grid) -> None:
    if line.indicator is not None:
        number = line.indicator.number
        labels: dict[str, Cell] = {"number": number, "name": line.indicator.name_zh}
    elif line.is_own:
        labels = {"code": "", "name": f"{line.unit.name}本级"}
    else:
        labels = {
            "code": line.unit.code,
            "name": line.unit.name,
            "parent": line.unit.parent.name if line.unit.parent else "",
        }
    for key, cell in labels.items():
        if key in grid.places:
            line.cells[grid.places[key]] = cell


# --- reporting -----------------------------------------------------------------------------------------------


def _reporting(group: ReportingColumns, grid: Grid) -> None:
    places = [(show, grid.places[f"reporting.daily.{show}"]) for show in group.shows]
    for line in grid.lines:
        for show, place in places:
            line.cells[place] = _own_reporting(line.unit, show) if line.is_own else _reported(line.unit, show)


def _reported(unit: Unit, show: str) -> Cell:
    match show:
        case "reporting_rate":
            return _share(unit.received, unit.expected)
        case "on_time_rate":
            return _share(unit.on_time, unit.expected)
        case "late_after_cutoff":
            return unit.received - unit.on_time - unit.late
        case "missing":
            return unit.expected - unit.received - unit.rejected if unit.is_over else NoFigure.NOT_APPLICABLE
        case "state":
            return STATES[unit.is_provisional]
        case _:
            count: int = getattr(unit, show)
            return count


def _own_reporting(unit: Unit, show: str) -> Cell:
    """Of its own unit alone: what is left of the whole without those below."""
    match show:
        case "expected":
            return unit.own_expected
        case "received":
            return unit.own_received
        case "reporting_rate":
            return _share(unit.own_received, unit.own_expected)
        case "on_time_rate":
            return _share(unit.own_of("on_time"), unit.own_expected)
        case "on_time" | "late" | "rejected":
            return unit.own_of(show)
        case "late_after_cutoff":
            return max(0, unit.own_received - unit.own_of("on_time") - unit.own_of("late"))
        case "missing" if unit.is_over:
            return max(0, unit.own_expected - unit.own_received - unit.own_of("rejected"))
        case _:
            return NoFigure.NOT_LISTED


def _stock_reporting(conn: Connection, group: ReportingColumns, period: Period, grid: Grid) -> None:
    """Of month-end figures, those of the period's last day."""
    rows = run_sql(conn, "report/stock_reporting", {"last_day": period.ends_on, "codes": list(grid.whole)})
    for row in rows:
        for show in group.shows:
            if show != "state":
                grid.put(row.division_code, f"reporting.stocks.{show}", getattr(row, show))
    _say(grid, "reporting.stocks.", NoFigure.NOT_DUE)


def _share(part: int, whole: int) -> Cell:
    found = share(part, whole)
    return NoFigure.NOT_DUE if found is None else found


# --- measures ------------------------------------------------------------------------------------------------


def _measures(
    conn: Connection, catalog: Catalog, groups: list[MeasureColumns], period: Period, grid: Grid
) -> None:
    measures = list(dict.fromkeys(code for group in groups for code in group.measures))
    params = {"period": period.name, "last_day": period.ends_on, "measures": measures}
    is_day = period.kind == "day"
    for level in dict.fromkeys(line.unit.level for line in grid.lines):
        codes = [code for code, line in grid.whole.items() if line.unit.level == level]
        name = "report/day_figures" if is_day else "report/period_figures"
        for row in _stream(conn, name, {**params, "level": level, "codes": codes}):
            key = f"{row.measure}.{row.channel}."
            grid.put(row.division_code, f"{key}value", row.value)
            if not is_day:
                grid.put(row.division_code, f"{key}mom", row.mom)
                grid.put(row.division_code, f"{key}yoy", row.yoy)
    if any("ytd" in group.shows for group in groups):
        for to_date in [period] if period.kind == "year" else period.to_date():
            wanted = {"to_date": to_date.name, "codes": list(grid.whole), "measures": measures}
            for row in _stream(conn, "report/to_date_figures", wanted):
                grid.put(row.division_code, f"{row.measure}.{row.channel}.ytd", row.value)
    if grid.own:
        own = {**params, "codes": list(grid.own)}
        has_stocks = not is_day and any(catalog.measures[code].kind == "stock" for code in measures)
        for name in (
            ("report/day_own",) if is_day else ("report/period_own", "report/stock_own")[: 1 + has_stocks]
        ):
            for row in _stream(conn, name, own):
                place = grid.places.get(f"{row.measure}.{row.channel}.value")
                if place is not None:
                    grid.own[row.division_code].cells[place] = row.value
    for code in measures:
        _say_why_empty(code, mask_of(catalog.measures[code].levels), grid)


def _say_why_empty(code: str, owing: int, grid: Grid) -> None:
    columns = [(place, key.rpartition(".")[2]) for place, key in grid.keys(f"{code}.")]
    for line in grid.lines:
        reason = line.standing.empty(owing)
        for place, show in columns:
            if line.cells[place] is None:
                if show == "value" or (show == "ytd" and not line.is_own):
                    line.cells[place] = reason
                else:
                    line.cells[place] = NoFigure.NOT_LISTED if line.is_own else NoFigure.NOT_APPLICABLE


def _trend(conn: Connection, catalog: Catalog, group: TrendColumns, period: Period, grid: Grid) -> None:
    params = {
        "months": [month.name for month in trend_months(period)],
        "measures": list(group.measures),
        "codes": list(grid.whole),
    }
    for row in _stream(conn, "report/trend", params):
        grid.put(row.division_code, f"trend.{row.measure}.{row.period}", row.value)
    _say(grid, "trend.", NoFigure.NOT_LISTED)


# --- indicators, satisfaction, evaluation --------------------------------------------------------------------


def _indicators(
    conn: Connection, catalog: Catalog, report: Report, group: IndicatorColumns, period: Period, grid: Grid
) -> None:
    codes = indicators_of(catalog, group)
    is_table = report.rows == "indicators"
    divisions = list(grid.whole)
    if is_table:
        top = grid.lines[0].unit
        divisions = [unit.code for unit in top.below] if group.below else [top.code]
    survey = {code: channels for code in codes if (channels := survey_channels(catalog, code))}
    params = {
        "period": period.name,
        "indicators": codes,
        "codes": divisions,
        "of_survey": list(survey),
        "of_channel": [code for code, channels in survey.items() if channels != {"all"}],
    }
    for row in _stream(conn, "report/indicators_of", params):
        for show in ("value",) if group.below else group.shows:
            cell = _indicator_cell(row, show)
            if not is_table:
                grid.put(row.division_code, f"{row.indicator}.{show}", cell)
            else:
                grid.put(row.indicator, f"{row.division_code}.value" if group.below else show, cell)
    for line in grid.lines:
        if line.indicator is not None:
            grid.put(line.key, "nature", NATURES.get(line.indicator.nature or "", NoFigure.NOT_APPLICABLE))
            grid.put(line.key, "unit", line.indicator.unit)
    for key in grid.places:
        is_ours = (is_table and not group.below) or key.partition(".")[0] in (*codes, *divisions)
        if is_ours and key not in ("number", "name", "code"):
            _say(grid, key, NoFigure.NOT_APPLICABLE)


def _indicator_cell(row: Row[Any], show: str) -> Cell:
    if row.is_small and row.value is not None and show not in ("target",):
        return NoFigure.SUPPRESSED
    value = getattr(row, show, None)
    if show == "status":
        return STATUSES.get(value or "") or REASONS.get(value or "", NoFigure.NOT_APPLICABLE)
    if value is None and show == "value":
        return REASONS.get(row.status, NoFigure.NOT_APPLICABLE)
    return NoFigure.NOT_APPLICABLE if value is None else _exact(value)


def _satisfaction(conn: Connection, group: SatisfactionColumns, period: Period, grid: Grid) -> None:
    for row in _stream(conn, "report/satisfaction_of", {"period": period.name, "codes": list(grid.whole)}):
        for show in group.shows:
            grid.put(row.division_code, f"satisfaction.{row.channel}.{show}", _satisfaction_cell(row, show))
    _say(grid, "satisfaction.", NoFigure.NOT_APPLICABLE)


def _satisfaction_cell(row: Row[Any], show: str) -> Cell:
    if show == "delivered":
        return NoFigure.NOT_APPLICABLE if row.delivered is None else _exact(row.delivered)
    if row.note_zh is not None and row.answered is None:
        return NoFigure.SUPPRESSED
    match show:
        case "enough":
            return "充足" if row.enough else "样本不足" if row.answered else NoFigure.NOT_APPLICABLE
        case "ranks":
            if row.rank_low is None:
                return NoFigure.NOT_APPLICABLE
            span = f"{row.rank_low}" if row.rank_low == row.rank_high else f"{row.rank_low}–{row.rank_high}"
            return f"{span}(并列领先)" if row.is_leading and row.rank_high > 1 else span
        case _:
            value = getattr(row, show)
            return NoFigure.NOT_APPLICABLE if value is None else _exact(value)


def _evaluation(
    conn: Connection,
    catalog: Catalog,
    report: Report,
    group: EvaluationColumns,
    period: Period,
    grid: Grid,
) -> None:
    for row in run_sql(conn, "report/evaluation_of", {"period": period.name, "codes": list(grid.whole)}):
        for show in group.shows:
            value = getattr(row, "items_missing" if show == "missing" else show)
            cell = NoFigure.NOT_APPLICABLE if value is None else _exact(value)
            if row.is_hidden and show in HIDDEN_WITH_SCORE:
                cell = NoFigure.SUPPRESSED
            grid.put(row.division_code, f"{row.scheme}.{show}", cell)
    for code, _ in schemes_of(catalog, group, report, period):
        _say(grid, f"{code}.", NoFigure.NOT_APPLICABLE)


def _say(grid: Grid, prefix: str, reason: NoFigure) -> None:
    """What stands in cells of columns that nothing was read for."""
    places = [place for place, _ in grid.keys(prefix)]
    for line in grid.lines:
        for place in places:
            if line.cells[place] is None:
                line.cells[place] = NoFigure.NOT_LISTED if line.is_own else reason


def _exact(value: Any) -> Cell:
    """A float as the decimal that it prints as; all else as it is."""
    return exact(value) if isinstance(value, float) else value


def _stream(conn: Connection, name: str, params: Mapping[str, Any]) -> Iterable[Row[Any]]:
    """The rows of a statement, a chunk at a time."""
    options = {"stream_results": True, "yield_per": CHUNK}
    return conn.execute(statement(name), params, execution_options=options)
