"""Cells: the figures of a table as they are frozen, independent of how any file shows them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from etl.reports.table import Cell, NoFigure, Table

FILE = "cells.json.gz"


@dataclass(frozen=True)
class Cells:
    """Columns by key with their header lines; rows by key with their name and cells in the order of the columns."""

    columns: dict[str, tuple[str, ...]]
    rows: dict[str, tuple[str, tuple[Cell, ...]]]

    @classmethod
    def of(cls, table: Table) -> Self:
        """The cells of a table."""
        names = [number for number, each in enumerate(table.columns) if each.key == "name"]
        rows = {row.key: (str(row.cells[names[0]]) if names else row.key, row.cells) for row in table.rows}
        return cls({each.key: each.heads for each in table.columns}, rows)

    @classmethod
    def read(cls, file: Path) -> Self:
        """The cells that `write` wrote."""
        body = json.loads(gzip.decompress(file.read_bytes()))
        columns = {key: tuple(heads) for key, heads in body["columns"]}
        rows = {key: (name, tuple(map(_read, cells))) for key, name, cells in body["rows"]}
        return cls(columns, rows)

    def write(self, folder: Path) -> Path:
        """Write them into a folder; equal cells give equal bytes."""
        target = io.BytesIO()
        with gzip.GzipFile(fileobj=target, mode="wb", filename="", mtime=0) as packed:
            packed.write(self._text().encode())
        file = folder / FILE
        file.write_bytes(target.getvalue())
        return file

    def sha256(self) -> str:
        """Digest of all of them, keys and order included."""
        return hashlib.sha256(self._text().encode()).hexdigest()

    def differences(self, later: Cells) -> Iterator[tuple[str, str, Cell, Cell]]:
        """Row, column, cell here and cell there of all that differ, in the order of the later ones."""
        here = {key: number for number, key in enumerate(self.columns)}
        there = {key: number for number, key in enumerate(later.columns)}
        columns = list(dict.fromkeys([*later.columns, *self.columns]))
        nothing: tuple[str, tuple[Cell, ...]] = ("", ())
        for row in dict.fromkeys([*later.rows, *self.rows]):
            (_, old), (_, new) = self.rows.get(row, nothing), later.rows.get(row, nothing)
            if old == new and here == there:
                continue
            for column in columns:
                before = old[here[column]] if old and column in here else None
                after = new[there[column]] if new and column in there else None
                if before != after:
                    yield row, column, before, after

    def _text(self) -> str:
        body = {
            "columns": list(self.columns.items()),
            "rows": [(key, name, list(map(_plain, cells))) for key, (name, cells) in self.rows.items()],
        }
        return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def in_words(cell: Cell) -> str:
    """A cell as a sentence quotes it."""
    if isinstance(cell, NoFigure):
        return cell.value or "（空）"
    if isinstance(cell, Decimal):
        return format(cell.normalize(), "f")
    return "（无）" if cell is None else str(cell)


def _plain(cell: Cell) -> Any:
    if isinstance(cell, NoFigure):
        return {"n": cell.name}
    if isinstance(cell, Decimal):
        return {"d": format(cell.normalize(), "f")}
    if isinstance(cell, date):
        return {"t": cell.isoformat()}
    return cell


def _read(value: Any) -> Cell:
    if not isinstance(value, dict):
        return value  # type: ignore[no-any-return]
    ((kind, content),) = value.items()
    match kind:
        case "n":
            return NoFigure[content]
        case "d":
            return Decimal(content)
        case _:
            return date.fromisoformat(content)
