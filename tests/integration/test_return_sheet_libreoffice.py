"""A return sheet in LibreOffice: it opens, its texts are texts, and the sender's sums are calculated anew."""

from __future__ import annotations

import csv
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pytest

from etl.catalog import load_catalog
from etl.divisions import DayDivisions
from etl.self_check import check_file
from etl.settings import DIVISIONS_FILE
from tests.conftest import require_program
from tests.unit.test_return_sheet import put
from tests.unit.test_source_workbooks import CODES

pytestmark = pytest.mark.integration
ALL_SHEETS = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"


def test_a_return_sheet_opens_with_texts_as_texts_and_sums_calculated(tmp_path: Path) -> None:
    soffice = require_program("soffice", "libreoffice-calc")

    def change(workbook: openpyxl.Workbook) -> None:
        sheet = workbook["日报表"]
        sheet["C6"].value, sheet["C6"].data_type = "=1+1", "s"
        sheet["C7"] = "=SUM(C5:C6)"

    file = put(tmp_path, [[CODES[0], "甲村", 1], [CODES[1], "乙村"], [None, "合计"]], change)
    now = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
    divisions = DayDivisions.from_list(DIVISIONS_FILE)
    sheet = check_file(file, None, load_catalog(None), divisions, now, date(2026, 3, 2)).sheet
    assert sheet is not None
    home = f"-env:UserInstallation=file://{tmp_path}/profile"
    subprocess.run(
        [soffice, home, "--headless", "--convert-to", ALL_SHEETS, "--outdir", str(tmp_path), str(sheet)],
        check=True,
        capture_output=True,
        timeout=120,
    )
    table = list(csv.reader((tmp_path / f"{sheet.stem}-日报表.csv").open(encoding="utf-8")))
    assert table[5][2] == "=1+1"
    assert table[6][2] == "1"
    assert "=1+1 不是数字" in table[5][5]
    listed = list(csv.reader((tmp_path / f"{sheet.stem}-审核意见.csv").open(encoding="utf-8")))
    assert listed[6][1:4] == ["日报表!C6", str(CODES[1]), "=1+1"]
