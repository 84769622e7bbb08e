"""Read: figures of divisions over days, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy.engine import Connection

from etl.plausibility.history import Array, row_by_id
from etl.warehouse import run_sql


def read_measures(conn: Connection, measures: Sequence[str]) -> Sequence[Any]:
    """measure, measure_id, measure_name, unit, cell_id (over channels), in the order given."""
    return run_sql(conn, "outlook/measures", {"measures": list(measures)}).all()


def read_figures(
    conn: Connection, statement: str, days: list[date], divisions: Array, keys: Sequence[int]
) -> Array:
    """Counts by division, day and measure. statement: one that gives division_id, value and measure_id or cell_id in
    arrays by day; keys: these numbers in the order of the measures."""
    numbers = np.array(keys, dtype=np.int64)
    row_of, column_of = row_by_id(divisions), row_by_id(numbers)
    values = np.zeros((len(divisions), len(days), len(numbers)), dtype=np.float64)
    slice_ = {"first": days[0], "day": days[-1], "divisions": divisions.tolist()}
    which = "cells" if statement.endswith("total_figures") else "measures"
    for line in run_sql(conn, statement, slice_ | {which: numbers.tolist()}):
        place = (line.stat_date - days[0]).days
        columns = column_of[line.cell_id if which == "cells" else line.measure_id]
        values[row_of[line.division_id], place, columns] = line.value
    return values
