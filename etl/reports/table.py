"""Table: a consolidated table as data, of which workbook, exchange files and bulletin are made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cached_property

from etl.catalog.report import Report
from etl.failures import Refused
from etl.periods import Period


class ReportError(Refused):
    """The report cannot be made of what the warehouse holds; the message says what to do."""


class NoFigure(Enum):
    """Why a cell holds no figure, as it is written; the later one gives way to the earlier one in a sum."""

    NOT_LISTED = ""
    MISSING = "缺报"
    NOT_DUE = "/"
    NOT_APPLICABLE = "—"
    SUPPRESSED = "不公布"


Cell = int | Decimal | str | date | NoFigure | None


@dataclass(frozen=True)
class Column:
    """A column. heads: its header lines, the outermost first. unit: 计量单位 of its figures. kind: text, code, count,
    number (in the column's unit, with decimals), ratio (1 = 100 %), change (ratio - 1), points (difference of ratios;
    1 = 100 percentage points), score, rank, status, date; figure, target and difference of a table of indicators are
    what the row's unit makes of them (`kind_in`). sheet: where it stands; None: on every sheet."""

    key: str
    heads: tuple[str, ...]
    unit: str
    kind: str
    sheet: str | None = None


@dataclass(frozen=True)
class Row:
    """A row; cells are aligned with the table's columns. key: code of the division, with /own for what its own unit
    reported, or code of the indicator. style: row, subtotal, total (the whole table), own. unit: of an indicator's
    figures."""

    key: str
    level: str
    depth: int
    style: str
    cells: tuple[Cell, ...]
    unit: str = ""


@dataclass(frozen=True)
class Note:
    """A remark on one cell, by the keys of row and column: a flagged or provisional figure."""

    row: str
    column: str
    text: str


@dataclass(frozen=True)
class Reported:
    """How complete the figures are: submissions of a data set expected, received, on time and rejected, of the whole
    table. is_provisional: 初步."""

    dataset: str
    expected: int
    received: int
    on_time: int
    late: int
    rejected: int
    is_provisional: bool


@dataclass(frozen=True)
class LevelReported:
    """The same of the own units of one level of divisions."""

    level: str
    units: int
    expected: int
    received: int


@dataclass(frozen=True)
class BatchOut:
    """A batch that is not in, with the reason."""

    platform: str
    stat_date: date
    source_name: str
    state: str
    message: str


@dataclass(frozen=True)
class Held:
    """Rows held back for a reason, with one example."""

    reason_code: str
    count: int
    example: str


@dataclass(frozen=True)
class Flagged:
    """Open questions about figures, by the check that asks."""

    check_code: str
    count: int
    example: str


@dataclass(frozen=True)
class Quality:
    """What a reader must know before the figures are trusted."""

    reported: tuple[Reported, ...] = ()
    levels: tuple[LevelReported, ...] = ()
    batches_out: tuple[BatchOut, ...] = ()
    held: tuple[Held, ...] = ()
    flagged: tuple[Flagged, ...] = ()


@dataclass(frozen=True)
class Definition:
    """What a measure or indicator of the table means."""

    code: str
    name: str
    unit: str
    words: str


@dataclass(frozen=True)
class Table:
    """One report of one division and period. known_at: the database's clock when it was read."""

    report: Report
    division_code: str
    division_name: str
    division_level: str
    period: Period
    known_at: datetime
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[Note, ...]
    quality: Quality
    definitions: tuple[Definition, ...]

    @property
    def is_provisional(self) -> bool:
        """Whether its figures are provisional (初步)."""
        return any(each.is_provisional for each in self.quality.reported)

    @cached_property
    def _places(self) -> tuple[dict[str, int], dict[str, int]]:
        return (
            {row.key: number for number, row in enumerate(self.rows)},
            {column.key: number for number, column in enumerate(self.columns)},
        )

    def cell(self, row: str, column: str) -> Cell:
        """The cell of a row and a column by their keys. Raises KeyError."""
        rows, columns = self._places
        return self.rows[rows[row]].cells[columns[column]]


def kind_in(column: Column, row: Row) -> str:
    """What a cell is: its column's kind; in a table of indicators, what the indicator's unit makes of it."""
    if column.kind in ("figure", "target"):
        return "ratio" if row.unit == "%" else "number"
    if column.kind == "difference":
        return "points" if row.unit == "%" else "change"
    return column.kind
