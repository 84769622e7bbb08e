"""Units: the divisions of a table as a tree, and what reports are to be expected of each and those below it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.engine import Connection

from etl.catalog import Catalog, Level, Measure
from etl.periods import Period
from etl.reports.table import Cell, NoFigure, ReportError
from etl.warehouse import run_sql

LEVELS = list(Level)


def mask_of(levels: tuple[Level, ...]) -> int:
    """Levels as bits, 2^depth each."""
    return sum(1 << level.depth for level in levels)


@dataclass(frozen=True)
class Standing:
    """What reports to expect of a group of units, by level as bits: who belongs, is due, has reported, has reported
    nil."""

    levels: int = 0
    due: int = 0
    received: int = 0
    nil: int = 0

    def __or__(self, other: Standing) -> Standing:
        return Standing(
            self.levels | other.levels,
            self.due | other.due,
            self.received | other.received,
            self.nil | other.nil,
        )

    def cell(self, value: int | None, measure: Measure) -> Cell:
        """The figure, or 0 after a nil report of a unit that owes the measure (ruling 12), or why there is none."""
        return self.empty(mask_of(measure.levels)) if value is None else value

    def empty(self, owing: int) -> int | NoFigure:
        """What stands where there is no figure of a measure that the levels `owing` report."""
        if self.nil & owing:
            return 0
        if self.received & owing:
            return NoFigure.NOT_LISTED
        if self.due & owing:
            return NoFigure.MISSING
        if self.levels & owing:
            return NoFigure.NOT_DUE
        return NoFigure.NOT_APPLICABLE


@dataclass
class Unit:
    """A division of the period: its counts are of its own unit and all below it, those that begin with own_ of its own
    unit. Units count once for each day on which they were expected."""

    code: str
    name: str
    level: Level
    parent_code: str | None
    expected: int
    received: int
    on_time: int
    late: int
    rejected: int
    own_expected: int
    own_reported: int
    is_over: bool
    is_provisional: bool
    own: Standing
    standing: Standing
    parent: Unit | None = None
    below: list[Unit] = field(default_factory=list)

    @property
    def own_received(self) -> int:
        """Of its own submissions that were expected, those received."""
        return self.own_of("received")

    def own_of(self, count: str) -> int:
        """Of a count (received, on_time, late, rejected), its own unit's."""
        own: int = getattr(self, count) - sum(getattr(each, count) for each in self.below)
        return max(0, own)

    def above(self) -> set[str]:
        """Codes of the divisions that it belongs to."""
        codes: set[str] = set()
        unit: Unit | None = self
        while unit is not None:
            if unit.parent_code is not None:
                codes.add(unit.parent_code)
            unit = unit.parent
        return codes

    def walk(self) -> Iterator[Unit]:
        """The unit and all below it, each before those below it, in the order of codes."""
        yield self
        for unit in self.below:
            yield from unit.walk()


def read_units(conn: Connection, catalog: Catalog, period: Period) -> dict[str, Unit]:
    """All divisions of the period that had units expected or reported, by code, linked to those below them."""
    params = {
        "period": period.name,
        "last_day": period.ends_on,
        "provisional_below": catalog.periods[period.kind].provisional_below
        if period.kind in catalog.periods
        else 0,
    }
    name = "report/day_units" if period.kind == "day" else "report/period_units"
    units = {row.division_code: _unit(dict(row._mapping)) for row in run_sql(conn, name, params)}
    for unit in units.values():
        if unit.parent_code in units:
            units[unit.parent_code].below.append(unit)
            unit.parent = units[unit.parent_code]
    for unit in sorted(units.values(), key=lambda each: -each.level.depth):
        _settle(unit)
    return units


def _unit(row: Mapping[str, Any]) -> Unit:
    level = LEVELS[row["depth"] - 1]
    own = row["own_expected"]
    return Unit(
        code=row["division_code"],
        name=row["division_name"],
        level=level,
        parent_code=row["parent_code"],
        expected=row["expected"],
        received=row["received"],
        on_time=row["on_time"],
        late=row["late"],
        rejected=row["rejected"],
        own_expected=-1 if own is None else own,
        own_reported=row["own_reported"],
        is_over=row["is_over"],
        is_provisional=row["is_provisional"],
        own=Standing(),
        standing=Standing(nil=row["nil_levels"]),
    )


def _settle(unit: Unit) -> None:
    """The standing of a unit whose units below are settled."""
    if unit.own_expected < 0:
        unit.own_expected = max(0, unit.expected - sum(each.expected for each in unit.below))
    bit = 1 << unit.level.depth
    unit.own = Standing(
        levels=bit,
        due=bit if unit.own_expected else 0,
        received=bit if unit.own_reported else 0,
        nil=unit.standing.nil & bit,
    )
    # Levels below may report, even where nobody of them was expected.
    whole = unit.own | Standing(levels=sum(1 << level.depth for level in LEVELS[unit.level.depth - 1 :]))
    for each in unit.below:
        whole |= each.standing
    unit.standing = whole | Standing(nil=unit.standing.nil)


def find_top(units: Mapping[str, Unit], period: Period) -> Unit:
    """The lowest division that has all reporting units in it. Raises ReportError when there is none."""
    if not units:
        raise ReportError(
            f"No unit was expected or has reported in {period.name}: there is nothing to report."
        )
    roots = [unit for unit in units.values() if unit.parent_code not in units]
    if len(roots) > 1:
        names = "、".join(unit.name for unit in roots)
        raise ReportError(
            f"{period.name}: {names} have no division above them in common. Load a list that has one."
        )
    top = roots[0]
    while not (top.own_expected or top.own_reported) and len(top.below) == 1:
        top = top.below[0]
    return top
