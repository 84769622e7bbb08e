"""The same stored figures, read in the workbook as LibreOffice prints it, on the portal and in the bulletin."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from etl.bulletin import words
from etl.catalog import load_catalog
from etl.periods import Period
from etl.portal import figures
from etl.reports.table import Column, Quality, Row, Table
from etl.reports.workbook import write_workbook
from tests.conftest import require_program

pytestmark = pytest.mark.integration
FIGURES = (
    "0.1225",
    "0.1235",
    "0.98345",
    "0.0005",
    "0.00049",
    "0",
    "-0.00049",
    "-0.0005",
    "-0.1225",
    "12.34550",
)
WRITTEN: dict[str, tuple[Callable[[Decimal], str], Callable[[Decimal], str]]] = {
    "ratio": (figures.percent, words.percent),
    "change": (figures.change, lambda value: words.signed(value, "件")),
    "points": (figures.points, lambda value: words.signed(value, "%").removesuffix("个百分点")),
    "score": (figures.score, words.score),
}
"""How portal and bulletin write a kind of figure."""


def test_the_same_stored_figure_reads_the_same_in_workbook_portal_and_bulletin(tmp_path: Path) -> None:
    soffice = require_program("soffice", "libreoffice-calc")
    require_program("pdftotext", "poppler-utils")
    kinds = list(WRITTEN)
    table = Table(
        report=load_catalog(None).reports["monthly-evaluation"],
        division_code="371300000000",
        division_name="临沂市",
        division_level="city",
        period=Period.parse("2026-03"),
        known_at=datetime(2026, 4, 2, tzinfo=UTC),
        columns=(
            Column("code", ("单位代码",), "", "code"),
            *(Column(f"x.{kind}", (kind,), "", kind, "表") for kind in kinds),
        ),
        rows=tuple(
            Row(f"row{number}", "county", 0, "row", (f"row{number}", *(Decimal(value) for _ in kinds)))
            for number, value in enumerate(FIGURES)
        ),
        notes=(),
        quality=Quality(),
        definitions=(),
    )
    file = write_workbook(table, tmp_path, date(2026, 4, 2))
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = [soffice, profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(file)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    pdf = tmp_path / f"{file.stem}.pdf"
    printed = subprocess.run(
        ["pdftotext", "-layout", str(pdf), "-"], check=True, capture_output=True, text=True
    ).stdout
    lines = dict(re.findall(r"^\s*(row\d+)\s+(.+)$", printed, re.MULTILINE))
    assert len(lines) == len(FIGURES)
    for number, value in enumerate(FIGURES):
        in_workbook = lines[f"row{number}"].split()
        for kind, shown in zip(kinds, in_workbook, strict=True):
            on_portal, in_bulletin = (write(Decimal(value)) for write in WRITTEN[kind])
            # A spreadsheet has a hyphen for a minus.
            assert shown.replace("-", "\u2212") == on_portal == in_bulletin, (kind, value)
