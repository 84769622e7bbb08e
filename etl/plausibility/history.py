"""History: the figures of the days before a day, and of the day itself, as one array of series by days."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy.engine import Connection

from etl.catalog import Calendar, Level
from etl.warehouse import run_sql

Array = npt.NDArray[Any]
TOTAL = "all"
SHIFTED, HOLIDAY = 7, 8
"""Kinds of day beside the seven weekdays: a weekend day that is worked, and a weekday that is off."""


@dataclass(frozen=True)
class Figures:
    """Figures of series over days; a series is one division's cell (measure and channel).

    days: in order, the last is the one that is judged. day_kinds: 0 to 6 Monday to Sunday, SHIFTED, HOLIDAY.
    divisions: division_id, code, name, level, parent_id; a row of it is a line of `sent`.
    cells: measure, measure_name, unit, channel, channel_name, indexed by cell_id.
    owner, cell: line of `divisions` and cell_id of each series, ordered by level and cell.
    values: by series and day; 0 where the division sent something without it, NaN where it sent nothing.
    sent: by division and day.
    """

    days: list[date]
    day_kinds: Array
    divisions: pd.DataFrame
    cells: pd.DataFrame
    owner: Array
    cell: Array
    values: Array
    sent: Array

    @property
    def groups(self) -> Array:
        """Number of the group of peers of each series: the same cell at the same level."""
        levels = pd.factorize(self.divisions["level"])[0][self.owner].astype(np.int64)
        keys = levels * (int(self.cell.max(initial=0)) + 1) + self.cell
        return pd.factorize(keys)[0]

    @property
    def division_ids(self) -> Array:
        """division_id of each series."""
        return self.divisions["division_id"].to_numpy(np.int64)[self.owner]

    def level_numbers(self, levels: Sequence[str]) -> Array:
        """Of each series the place of its level among these."""
        place = {level: number for number, level in enumerate(levels)}
        return self.divisions["level"].map(place).to_numpy(np.int64)[self.owner]

    def places(self, of: Figures) -> Array:
        """For each series of other figures the same one's number among these, which have them all."""
        mine = series_keys(self.division_ids, self.cell)
        order = np.argsort(mine)
        return order[np.searchsorted(mine, series_keys(of.division_ids, of.cell), sorter=order)]

    def of_levels(self, levels: Collection[Level]) -> Array:
        """Which series are of divisions of these levels."""
        return np.asarray(self.is_at(levels)[self.owner])

    def is_at(self, levels: Collection[Level]) -> Array:
        """Which divisions are of these levels."""
        return self.divisions["level"].isin([level.value for level in levels]).to_numpy(bool)


def series_keys(division: Array, cell: Array) -> Array:
    """One number for each series; cell_id is a smallint."""
    return division.astype(np.int64) * 2**16 + cell


def day_kinds(days: Sequence[date], calendar: Calendar) -> Array:
    """The kind of each day by the calendar: its weekday, or SHIFTED or HOLIDAY where the calendar differs from it."""

    def kind(day: date) -> int:
        if calendar.is_worked(day) == (day.weekday() < 5):
            return day.weekday()
        return SHIFTED if day.weekday() >= 5 else HOLIDAY

    return np.array([kind(day) for day in days], dtype=np.int64)


def window(day: date, length: int) -> list[date]:
    """The day and so many calendar days before it, in order."""
    return [day - timedelta(days=back) for back in range(length, -1, -1)]


def read_cells(conn: Connection) -> pd.DataFrame:
    """measure, measure_name, unit, kind, channel, channel_name by cell_id."""
    found = run_sql(conn, "plausibility/cells")
    return pd.DataFrame(found.all(), columns=list(found.keys())).set_index("cell_id")


def read_divisions(conn: Connection, day: date, levels: Collection[str]) -> pd.DataFrame:
    """division_id, code, name, level, parent_id of the divisions of some levels on the day."""
    found = run_sql(conn, "plausibility/divisions", {"day": day, "levels": list(levels)})
    return pd.DataFrame(found.all(), columns=list(found.keys()))


Series = tuple[Array, Array]
"""division_id and cell_id of series that are wanted, be there a figure of them or not."""
NONE: Series = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


@dataclass(frozen=True)
class Reporting:
    """Units expected and reported by division and day, with all below and of the division itself; is_rolled_up: days
    that are."""

    expected: Array
    reported: Array
    own_expected: Array
    own_reported: Array
    is_rolled_up: Array

    def take(self, divisions: Array) -> Self:
        """The same for some of the divisions."""
        lines = {name: each[divisions] for name, each in vars(self).items() if name != "is_rolled_up"}
        return replace(self, **lines)


def read_reporting(conn: Connection, days: list[date], divisions: Array) -> Reporting:
    """Who was expected and who reported on the days. divisions: division_ids, each a line."""
    counts = np.zeros((4, len(divisions), len(days)), dtype=np.int64)
    is_rolled_up = np.zeros(len(days), dtype=bool)
    row_of, column_of = row_by_id(divisions), {day: place for place, day in enumerate(days)}
    for line in run_sql(conn, "plausibility/total_sent", _slice(days, divisions)):
        rows, column = row_of[line.division_id], column_of[line.stat_date]
        is_rolled_up[column] = True
        counts[:, rows, column] = (
            line.units_expected, line.units_reported, line.own_expected, line.own_reported,
        )  # fmt: skip
    return Reporting(counts[0], counts[1], counts[2], counts[3], is_rolled_up)


def read_own(
    conn: Connection,
    days: list[date],
    kinds: Array,
    divisions: pd.DataFrame,
    cells: pd.DataFrame,
    units: Reporting,
    series: Series = NONE,
) -> Figures:
    """What the divisions' own units reported."""
    lines = run_sql(conn, "plausibility/own_figures", _slice(days, divisions["division_id"].to_numpy()))
    return _arrange(lines, days, kinds, divisions, cells, units.own_reported > 0, series)


def read_totals(
    conn: Connection,
    days: list[date],
    kinds: Array,
    divisions: pd.DataFrame,
    cells: pd.DataFrame,
    units: Reporting,
    series: Series = NONE,
) -> Figures:
    """The divisions' totals over channels."""
    is_above = (divisions["level"] != Level.TOWNSHIP.value).to_numpy()
    totals = cells.index[cells["channel"] == TOTAL].tolist()
    slice_ = _slice(days, divisions["division_id"].to_numpy()[is_above]) | {"cells": totals}
    lines = run_sql(conn, "plausibility/total_figures", slice_)
    return _arrange(lines, days, kinds, divisions, cells, units.reported > 0, series)


def _slice(days: list[date], divisions: Array) -> dict[str, object]:
    return {"first": days[0], "day": days[-1], "divisions": divisions.tolist()}


def row_by_id(ids: Array) -> Array:
    """By id, the place that it has among these; -1 for the others up to the largest."""
    row_of = np.full(int(ids.max(initial=0)) + 1, -1, dtype=np.int64)
    row_of[ids] = np.arange(len(ids))
    return row_of


def _arrange(
    lines: Iterable[Any],
    days: list[date],
    kinds: Array,
    divisions: pd.DataFrame,
    cells: pd.DataFrame,
    sent: Array,
    series: Series,
) -> Figures:
    row_of, column_of = (
        row_by_id(divisions["division_id"].to_numpy()),
        {day: place for place, day in enumerate(days)},
    )
    parts: list[tuple[Array, int, Array]] = []
    width = int(cells.index.max()) + 1
    levels = pd.factorize(divisions["level"])[0]
    # Ordered by level and cell, so that a group of peers is one stretch of series.
    is_seen = np.zeros((int(levels.max(initial=0)) + 1, width, len(divisions)), dtype=bool)
    division, cell = series
    is_here = division < len(row_of)
    rows, cell = row_of[division[is_here]], cell[is_here]
    rows, cell = rows[rows >= 0], cell[rows >= 0]
    is_seen[levels[rows], cell, rows] = True
    for line in lines:
        rows, cells_of = row_of[line.division_id], np.array(line.cell_id, dtype=np.int64)
        keys = np.ravel_multi_index((levels[rows], cells_of, rows), is_seen.shape)
        is_seen.reshape(-1)[keys] = True
        parts.append((keys, column_of[line.stat_date], np.array(line.value, dtype=np.float32)))
    number_of = np.cumsum(is_seen.reshape(-1), dtype=np.int32) - 1
    _, cell, owner = (part.astype(np.int32) for part in np.nonzero(is_seen))
    values = np.where(sent[owner], np.float32(0), np.float32(np.nan))
    for keys, column, value in parts:
        values[number_of[keys], column] = value
    return Figures(days, kinds, divisions, cells, owner, cell, values, sent)
