"""Compose: one report of one division and period, read from the marts in one snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from etl.catalog import Catalog, Level
from etl.catalog.report import IndicatorColumns, Report
from etl.periods import Period
from etl.reports.columns import columns_of, indicators_of
from etl.reports.definitions import definitions_of
from etl.reports.fill import Grid, Line, fill
from etl.reports.quality import notes_of, quality_of
from etl.reports.table import NoFigure, ReportError, Row, Table
from etl.reports.units import Unit, find_top, read_units
from etl.warehouse import plan_for_bulk, run_sql


def compose_table(
    conn: Connection, catalog: Catalog, report: Report, division: str | None, period: Period
) -> Table:
    """The table of a division, or of the lowest one that has all reporting units in it, as the marts stand in the
    snapshot of the connection's transaction.

    Raises ReportError when the period is not shown yet, holds nothing of the division, or its totals do not add up.
    """
    if period.kind not in report.period_kinds:
        kinds = " or a ".join(report.period_kinds)
        raise ReportError(f"{report.id} is made of a {kinds}; {period.name} is a {period.kind}.")
    require_shown(conn, period)
    plan_for_bulk(conn)
    known_at: datetime = conn.execute(sa.text("SELECT transaction_timestamp()")).scalar_one()
    units = read_units(conn, catalog, period)
    top = find_top(units, period) if division is None else units.get(division)
    if top is None:
        raise ReportError(f"No unit of {division} was expected or has reported in {period.name}.")
    if top.level not in report.of_levels:
        levels = ", ".join(report.of_levels)
        raise ReportError(f"{report.id} is made of level {levels}; {top.name} ({top.code}) is a {top.level}.")
    columns = columns_of(catalog, report, period, top)
    grid = Grid(_lines(catalog, report, top), columns)
    if not grid.lines:
        raise ReportError(f"{report.id} has no rows for {top.name} in {period.name}.")
    fill(conn, catalog, report, period, grid)
    _require_sums(conn, period, grid)
    lines = _in_order(report, grid)
    return Table(
        report=report,
        division_code=top.code,
        division_name=top.name,
        division_level=top.level,
        period=period,
        known_at=known_at,
        columns=tuple(columns),
        rows=tuple(
            Row(line.key, line.unit.level, line.depth, line.style, tuple(line.cells), line.words)
            for line in lines
        ),
        notes=notes_of(conn, catalog, period, grid),
        quality=quality_of(conn, catalog, period, top, columns),
        definitions=definitions_of(catalog, report, columns),
    )


def require_shown(conn: Connection, period: Period) -> None:
    """Raise ReportError unless the marts show the period."""
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


# --- rows ----------------------------------------------------------------------------------------------------


def _lines(catalog: Catalog, report: Report, top: Unit) -> list[Line]:
    """The rows: the whole first, every division before those below it, its own unit's figures between them."""
    if report.rows == "indicators":
        group = next(each for each in report.columns if isinstance(each, IndicatorColumns))
        codes = [
            code for code in indicators_of(catalog, group) if top.level in catalog.indicators[code].levels
        ]
        return [Line(top, "row", 0, indicator=catalog.indicators[code]) for code in codes]
    if not report.subtotals:
        return [Line(unit, "row", 0) for unit in top.walk() if unit.level in report.row_levels]
    levels = [top.level, *(level for level in report.row_levels if level.depth > top.level.depth)]
    return list(_branch(top, levels, 0))


def _branch(unit: Unit, levels: list[Level], depth: int) -> Iterator[Line]:
    below = [each for each in unit.below if each.level in levels]
    yield Line(unit, "total" if depth == 0 else "subtotal" if below else "row", depth)
    if below and (unit.own_expected or unit.own_reported):
        yield Line(unit, "own", depth + 1, is_own=True)
    for each in below:
        yield from _branch(each, levels, depth + 1)


def _in_order(report: Report, grid: Grid) -> list[Line]:
    """The rows in declared order; those without a figure come last."""
    if report.order == "code" or report.rows == "indicators":
        return grid.lines
    wanted = report.order.removeprefix("-")
    place = next((number for number, each in enumerate(grid.columns) if each.key.endswith(wanted)), None)
    if place is None:
        raise ReportError(f"{report.id}: key order names {wanted}, which no column's key ends with.")
    sign = -1 if report.order.startswith("-") else 1

    def key(line: Line) -> tuple[bool, object, str]:
        cell = line.cells[place]
        is_figure = not isinstance(cell, NoFigure | str | None)
        return (not is_figure, sign * cell if is_figure else 0, line.key)  # type: ignore[operator]

    return sorted(grid.lines, key=key)


def _require_sums(conn: Connection, period: Period, grid: Grid) -> None:
    """Raise ReportError where a stored total is not the sum of what stands below it, unless divisions changed while the
    period ran: figures of its first part then belong to another division's total."""
    differing = list(grid.differing_sums())
    if not differing:
        return
    params = {"first_day": period.starts_on, "last_day": period.ends_on}
    redrawn = set(run_sql(conn, "report/redrawn", params).scalars())
    wrong = [each for each in differing if not redrawn.intersection(each.units)]
    if wrong:
        words = "; ".join(
            f"{each.line.unit.name} {each.column.key} is stored as {each.stored}, its parts give {each.added}"
            for each in wrong[:3]
        )
        again = (
            f"run-day --date {period.name}" if period.kind == "day" else f"indicators --period {period.name}"
        )
        raise ReportError(
            f"{period.name}: {len(wrong)} stored totals are not the sum of their parts: {words}."
            f" Run: python -m etl {again}"
        )
