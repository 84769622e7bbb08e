"""Day table: one day's figures of all divisions, where every cell without a figure says why there is none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import Enum

from sqlalchemy.engine import Connection, Engine, Row

from etl.catalog import Catalog, Level, Measure
from etl.failures import Refused
from etl.warehouse import run_sql

LEVELS = list(Level)


class ReportError(Refused):
    """The report cannot be made of what the warehouse holds; the message says what to do."""


class NoFigure(Enum):
    """Why a cell holds no figure, as it is written; the later one gives way to the earlier one in a sum."""

    NOT_LISTED = ""
    MISSING = "缺报"
    NOT_DUE = "/"
    NOT_APPLICABLE = "—"


Cell = int | NoFigure


@dataclass(frozen=True)
class Standing:
    """What reports to expect of a group of units, by level: who belongs, is due, has reported, has reported nil."""

    levels: frozenset[Level] = frozenset()
    due: frozenset[Level] = frozenset()
    received: frozenset[Level] = frozenset()
    nil: frozenset[Level] = frozenset()

    def __or__(self, other: Standing) -> Standing:
        return Standing(
            self.levels | other.levels,
            self.due | other.due,
            self.received | other.received,
            self.nil | other.nil,
        )

    def cell(self, value: int | None, measure: Measure) -> Cell:
        """The figure, or 0 after a nil report of a unit that owes the measure (ruling 12), or why there is none."""
        if value is not None:
            return value
        if self.nil.intersection(measure.levels):
            return 0
        if self.received.intersection(measure.levels):
            return NoFigure.NOT_LISTED
        if self.due.intersection(measure.levels):
            return NoFigure.MISSING
        if self.levels.intersection(measure.levels):
            return NoFigure.NOT_DUE
        return NoFigure.NOT_APPLICABLE


def add_up(cells: Iterable[Cell]) -> Cell:
    """The sum of the figures; without any figure, the reason that weighs most."""
    listed = list(cells)
    figures = [cell for cell in listed if isinstance(cell, int)]
    if figures:
        return sum(figures)
    return next((reason for reason in NoFigure if reason in listed), NoFigure.NOT_APPLICABLE)


@dataclass(frozen=True)
class Unit:
    """A division of the day: its own unit, and with `standing` and the counts all below it too."""

    code: str
    name: str
    level: Level
    parent_code: str | None
    is_expected: bool
    is_reported: bool
    units_expected: int
    units_reported: int
    own_standing: Standing
    standing: Standing


@dataclass(frozen=True)
class DayTable:
    """Everything the day's workbook shows. `top` is the lowest division that has all reporting units in it."""

    day: date
    top: Unit
    units: dict[str, Unit]
    measures: list[Measure]
    platforms: list[Row[tuple[object, ...]]]
    batches_out: list[Row[tuple[object, ...]]]
    held_rows: list[Row[tuple[object, ...]]]
    _figures: dict[tuple[str, str, str], int]
    _own_figures: dict[tuple[str, str, str], int]
    _own_standings: dict[Level, Standing]

    def levels(self) -> list[Level]:
        """Levels from the top division's down that have divisions in the table."""
        present = {unit.level for unit in self.units.values()}
        return [level for level in LEVELS[LEVELS.index(self.top.level) :] if level in present]

    def units_of(self, level: Level) -> list[Unit]:
        """Divisions of a level, those of one parent together, in the order of codes."""
        chosen = [unit for unit in self.units.values() if unit.level is level]
        return sorted(chosen, key=lambda unit: (unit.parent_code or "", unit.code))

    def cell(self, unit: Unit, measure: Measure, channel: str) -> Cell:
        """A division's figure, its own unit's and all below it; channel `all` is the total."""
        return unit.standing.cell(self._figures.get((unit.code, measure.code, channel)), measure)

    def own_cell(self, level: Level, measure: Measure, channel: str) -> Cell:
        """What the units of a level reported themselves, without those below them."""
        return self._own_standings[level].cell(
            self._own_figures.get((level.value, measure.code, channel)), measure
        )


def read_day_table(engine: Engine, catalog: Catalog, day: date) -> DayTable:
    """Read one day as it stands in the warehouse, in one snapshot.

    Raises ReportError when the day is not rolled up, has loads that are not rolled up yet, when no unit was expected
    or reported, or when those that were have no division above them in common.
    """
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as conn:
        _require_rolled_up(conn, day)
        units = _units(run_sql(conn, "report/units", {"day": day}).all())
        top = _top(units, day)
        figures = run_sql(conn, "report/figures", {"day": day}).all()
        own = run_sql(conn, "report/own_figures", {"day": day}).all()
        seen = {figure.measure for figure in figures}
        return DayTable(
            day=day,
            top=top,
            # What stands above the top repeats its figures under the name of a larger area: left out.
            units={
                unit.code: unit
                for unit in units.values()
                if LEVELS.index(unit.level) >= LEVELS.index(top.level)
            },
            measures=[measure for measure in catalog.daily_measures() if measure.code in seen],
            platforms=list(run_sql(conn, "report/platforms", {"day": day}).all()),
            batches_out=list(run_sql(conn, "report/batches_out", {"day": day}).all()),
            held_rows=list(run_sql(conn, "report/held_rows", {"day": day}).all()),
            _figures={(row.division_code, row.measure, row.channel): row.value for row in figures},
            _own_figures={(row.level, row.measure, row.channel): row.value for row in own},
            _own_standings=_standings_of_levels(units),
        )


def _require_rolled_up(conn: Connection, day: date) -> None:
    state = run_sql(conn, "report/rollup_state", {"day": day}).one_or_none()
    if state is None or not state.is_rolled_up:
        raise ReportError(f"{day} is not rolled up. Run: python -m etl run-day --date {day}")
    if state.is_waiting:
        raise ReportError(
            f"{day} was loaded after it was rolled up; what runs now will roll it up. Try again then."
        )


def _units(rows: Iterable[Row[tuple[object, ...]]]) -> dict[str, Unit]:
    listed = list(rows)
    own = {row.division_code: _own_standing(row) for row in listed}
    whole = dict(own)
    for row in sorted(listed, key=lambda each: LEVELS.index(Level(each.level)), reverse=True):
        whole[row.division_code] |= Standing(frozenset(LEVELS[LEVELS.index(Level(row.level)) :]))
        if row.parent_code in whole:
            whole[row.parent_code] |= whole[row.division_code]
    return {
        row.division_code: Unit(
            code=row.division_code,
            name=row.division_name,
            level=Level(row.level),
            parent_code=row.parent_code,
            is_expected=row.is_expected,
            is_reported=row.is_reported,
            units_expected=row.units_expected,
            units_reported=row.units_reported,
            own_standing=own[row.division_code],
            standing=whole[row.division_code],
        )
        for row in listed
    }


def _own_standing(row: Row[tuple[object, ...]]) -> Standing:
    level = frozenset({Level(row.level)})
    return Standing(
        levels=level,
        due=level if row.is_expected else frozenset(),
        received=level if row.is_reported else frozenset(),
        nil=level if row.is_nil else frozenset(),
    )


def _standings_of_levels(units: dict[str, Unit]) -> dict[Level, Standing]:
    standings: dict[Level, Standing] = {}
    for unit in units.values():
        standings[unit.level] = standings.get(unit.level, Standing()) | unit.own_standing
    return standings


def _top(units: dict[str, Unit], day: date) -> Unit:
    if not units:
        raise ReportError(f"No unit was expected or has reported on {day}: there is nothing to report.")
    below: dict[str | None, list[Unit]] = {}
    for unit in units.values():
        below.setdefault(unit.parent_code if unit.parent_code in units else None, []).append(unit)
    if len(below[None]) > 1:
        names = "、".join(unit.name for unit in below[None])
        raise ReportError(f"{day}: {names} have no division above them in common. Load a list that has one.")
    top = below[None][0]
    while not (top.is_expected or top.is_reported) and len(below.get(top.code, [])) == 1:
        top = below[top.code][0]
    return top
