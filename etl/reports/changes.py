"""Changes: the cells of a table that are other than in the version issued before it (变更说明)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from etl.reports.table import Cell


@dataclass(frozen=True)
class Change:
    """One cell, by the keys of row and column and as people call them. old, new: None where there was no such row or
    column. cause: what became known in between, in Chinese."""

    row: str
    row_name: str
    column: str
    heads: tuple[str, ...]
    old: Cell
    new: Cell
    cause: str


@dataclass(frozen=True)
class Changes:
    """All changed cells since a version, in the table's order. known_at: until when the earlier one knew."""

    version: int
    known_at: datetime
    cells: tuple[Change, ...]
