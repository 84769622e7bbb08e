"""Read: figures and reporting of divisions over days, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy.engine import Connection

from etl.plausibility.history import Array
from etl.warehouse import run_sql


@dataclass(frozen=True)
class Units:
    """Units expected and reported by division and day, with all below and of the division itself; is_rolled_up: days
    that are."""

    expected: Array
    reported: Array
    own_expected: Array
    own_reported: Array
    is_rolled_up: Array


def read_measures(conn: Connection, measures: Sequence[str]) -> Sequence[Any]:
    """measure, measure_id, measure_name, unit, cell_id (over channels), in the order given."""
    return run_sql(conn, "outlook/measures", {"measures": list(measures)}).all()


def read_reporting(conn: Connection, days: list[date], divisions: Array) -> Units:
    """Who was expected and who reported on the days, which follow each other."""
    counts = np.zeros((4, len(divisions), len(days)), dtype=np.int32)
    is_rolled_up = np.zeros(len(days), dtype=bool)
    row_of = _places(divisions)
    slice_ = {"first": days[0], "day": days[-1], "divisions": divisions.tolist()}
    for line in run_sql(conn, "plausibility/total_sent", slice_):
        day = (line.stat_date - days[0]).days
        is_rolled_up[day] = True
        counts[:, row_of[line.division_id], day] = (
            line.units_expected, line.units_reported, line.own_expected, line.own_reported,
        )  # fmt: skip
    return Units(counts[0], counts[1], counts[2], counts[3], is_rolled_up)


def read_figures(
    conn: Connection, statement: str, days: list[date], divisions: Array, keys: Sequence[int]
) -> Array:
    """Counts by division, day and measure. statement: one that gives division_id, value and measure_id or cell_id in
    arrays by day; keys: these numbers in the order of the measures."""
    numbers = np.array(keys, dtype=np.int64)
    row_of, column_of = _places(divisions), _places(numbers)
    values = np.zeros((len(divisions), len(days), len(numbers)), dtype=np.float64)
    slice_ = {"first": days[0], "day": days[-1], "divisions": divisions.tolist()}
    which = "cells" if statement.endswith("total_figures") else "measures"
    for line in run_sql(conn, statement, slice_ | {which: numbers.tolist()}):
        place = (line.stat_date - days[0]).days
        columns = column_of[line.cell_id if which == "cells" else line.measure_id]
        values[row_of[line.division_id], place, columns] = line.value
    return values


def _places(numbers: Array) -> Array:
    place_of = np.full(int(numbers.max(initial=0)) + 1, -1, dtype=np.int64)
    place_of[numbers] = np.arange(len(numbers))
    return place_of
