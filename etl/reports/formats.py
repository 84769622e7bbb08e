"""Formats: how cells of a workbook look, each format made once; widths of columns and heights of texts.

A cell holds the stored figure; its format shows it as `etl.rounding` spells it: no sign before what rounds to 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import xlsxwriter

from etl.reports.table import Cell, Column, NoFigure, Row, kind_in

FONT = "宋体"
PARTS: dict[str, dict[str, object]] = {
    "title": {"font_size": 18, "bold": True, "align": "center"},
    "plain": {},
    "right": {"align": "right"},
    "center": {"align": "center"},
    "wrap": {"text_wrap": True, "valign": "top"},
    "section": {"bold": True, "font_size": 11},
    "cell": {"border": 1, "border_color": "#A6A6A6"},
    "head": {
        "border": 1,
        "border_color": "#7F7F7F",
        "bold": True,
        "align": "center",
        "text_wrap": True,
        "bg_color": "#E7ECF2",
    },
    "small": {"bold": False, "font_size": 9},
    "note": {"text_wrap": True},
    # kinds of figures
    "text": {"shrink": True},
    "code": {"align": "center"},
    "count": {"num_format": "#,##0", "align": "right"},
    "number": {"num_format": "#,##0.00", "align": "right"},
    "ratio": {"num_format": "#,##0.0%", "align": "right"},
    "change": {"num_format": '[>=0.0005]+#,##0.0%;[<=-0.0005]-#,##0.0%;"0.0%"', "align": "right"},
    "points": {"num_format": '[>=0.05]+#,##0.0;[<=-0.05]-#,##0.0;"0.0"', "align": "right"},
    "score": {"num_format": "0.00", "align": "right"},
    "rank": {"num_format": "0", "align": "center"},
    "status": {"align": "center"},
    "date": {"num_format": "yyyy-mm-dd", "align": "center"},
    # styles of rows
    "row": {},
    "own": {"font_color": "#595959", "italic": True},
    "subtotal": {"bold": True, "bg_color": "#F2F5F8"},
    "total": {"bold": True, "bg_color": "#DDE5EE"},
    # reasons
    "reason": {"align": "center", "font_color": "#7F7F7F"},
    "missing": {"align": "center", "font_color": "#9C3A00", "bg_color": "#FBE9DD"},
    # conditions: blue and orange, which colour-blind people tell apart; bold where it falls short, for prints in grey
    "met": {"font_color": "#1F4E79", "bg_color": "#DCE9F5"},
    "short": {"font_color": "#9C3A00", "bg_color": "#FBE9DD", "bold": True},
}
KIND_WIDTHS = {
    "code": 13.5, "ratio": 7.5, "change": 8, "points": 7.5, "score": 8, "rank": 6.5, "status": 8, "date": 11,
}  # fmt: skip
NARROWEST, WIDEST_TEXT = 6.5, 27
CONDITIONS = ("met", "short")


class Formats:
    """The formats of one workbook, by the parts that they are made of."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self._book = book
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            properties: dict[str, object] = {"font_name": FONT, "font_size": 10, "valign": "vcenter"}
            if name in CONDITIONS:
                properties = {}
            for part in name.split():
                if part.startswith("indent"):
                    properties["indent"] = int(part.removeprefix("indent"))
                else:
                    properties.update(PARTS[part])
            self._made[name] = self._book.add_format(properties)
        return self._made[name]

    def of_cell(self, style: str, kind: str, depth: int) -> Any:
        """The format of a figure or text in a row of a style."""
        return self[f"cell {style} {kind}" + (f" indent{depth}" if depth else "")]

    def of_reason(self, style: str, reason: NoFigure) -> Any:
        """The format of a cell without a figure."""
        return self[f"cell {style} {'missing' if reason is NoFigure.MISSING else 'reason'}"]


def width_of(column: Column, cells: Sequence[Cell], rows: Sequence[Row]) -> float:
    """How wide a column must be for its longest figure or text."""
    if column.key == "number":
        return 6
    if column.kind == "text":
        indent = [row.depth for row in rows] if column.key == "name" else [0] * len(rows)
        longest = max(
            (
                _breadth(cell) + 1.5 * depth
                for cell, depth in zip(cells, indent, strict=True)
                if isinstance(cell, str)
            ),
            default=0,
        )
        return min(max(12, longest + 2), WIDEST_TEXT)
    head = max(_breadth(column.heads[-1]) / 2 + 1, _breadth(column.unit) + 1) if column.heads else 0
    if column.kind in ("code", "status", "date"):
        longest = max((_breadth(cell) for cell in cells if isinstance(cell, str)), default=0)
        return max(KIND_WIDTHS[column.kind], min(head, 12), longest + 1.5)
    longest = max((_digits(cell, column, row) for cell, row in zip(cells, rows, strict=True)), default=0)
    return max(KIND_WIDTHS.get(column.kind, NARROWEST), longest * 1.1 + 1, min(head, 12))


def _digits(cell: Cell, column: Column, row: Row) -> int:
    """Characters of a figure as it is shown, in bold at the most."""
    if isinstance(cell, NoFigure):
        return _breadth(cell.value)
    if isinstance(cell, int):
        return len(f"{cell:,}")
    if not isinstance(cell, Decimal):
        return 0
    match kind_in(column, row):
        case "ratio" | "change":
            return len(f"{cell:+,.1%}")
        case "count":
            return len(f"{cell:,.0f}")
        case _:
            return len(f"{cell:,.2f}")


def _breadth(text: str) -> int:
    """Width of a text; a Chinese character is as wide as two of the column's."""
    return sum(1 if character.isascii() else 2 for character in text)


def lines_needed(text: str, width: float) -> int:
    """Lines that a text takes in a column."""
    return sum(math.ceil(1.15 * _breadth(line) / width) or 1 for line in text.split("\n"))
