"""The sheet of changed cells spells figures as the table shows them, and tells old from new."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl

from etl.catalog import load_catalog
from etl.periods import Period
from etl.reports.changes import Change, Changes
from etl.reports.table import Cell, Column, NoFigure, Quality, Row, Table
from etl.reports.workbook import write_workbook

MOMENT = datetime(2026, 4, 2, tzinfo=UTC)
CHANGED: list[tuple[str, Cell, Cell, str, str]] = [
    ("count", 1234, 1235, "1,234", "1,235"),
    ("count", NoFigure.MISSING, 0, "缺报", "0"),
    ("ratio", Decimal(59) / 60, Decimal(58) / 60, "98.3%", "96.7%"),
    ("ratio", Decimal("0.98331"), Decimal("0.98334"), "98.331%", "98.334%"),
    ("points", Decimal("-0.0005"), Decimal("0.0125"), "−0.1个百分点", "1.3个百分点"),
    ("score", Decimal("87.125"), Decimal("87.1"), "87.13", "87.10"),
]


def test_changed_cells_are_spelled_as_the_table_shows_them_and_told_apart(tmp_path: Path) -> None:
    kinds = [f"x{number}.{kind}" for number, (kind, *_) in enumerate(CHANGED)]
    table = Table(
        report=load_catalog(None).reports["monthly-summary"],
        division_code="371300000000",
        division_name="临沂市",
        division_level="city",
        period=Period.parse("2026-03"),
        known_at=MOMENT,
        columns=tuple(
            Column(key, (key,), "", kind, "表") for key, (kind, *_) in zip(kinds, CHANGED, strict=True)
        ),
        rows=(Row("371302000000", "county", 0, "row", tuple(new for _, _, new, _, _ in CHANGED)),),
        notes=(),
        quality=Quality(),
        definitions=(),
    )
    changes = Changes(
        1,
        MOMENT,
        tuple(
            Change("371302000000", "兰山区", key, (key,), old, new, "补报")
            for key, (_, old, new, _, _) in zip(kinds, CHANGED, strict=True)
        ),
    )
    file = write_workbook(table, tmp_path, date(2026, 4, 2), changes)
    said = list(openpyxl.load_workbook(file)["变更说明"].iter_rows(values_only=True))
    assert [row[3:5] for row in said if row[1] == "兰山区"] == [(old, new) for *_, old, new in CHANGED]
