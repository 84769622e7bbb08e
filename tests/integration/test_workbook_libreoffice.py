"""The daily workbook of a small city: every cell against the view, the formulas, and LibreOffice's reading of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import python_calamine
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from etl.catalog import Catalog, load_catalog
from etl.divisions import load_divisions
from etl.register import register_catalog
from etl.reports.day_table import ReportError
from etl.reports.workbook import FIRST_FIGURE, FIRST_ROW, write_daily_workbook
from etl.rollup import roll_up_day
from etl.settings import Settings
from etl.warehouse import ServerAddress, migrate, open_warehouse

pytestmark = pytest.mark.integration
MONDAY, SUNDAY, MADE_ON = date(2026, 3, 2), date(2026, 3, 1), date(2026, 3, 3)
PROGRAMS = {"soffice": "libreoffice-calc fonts-noto-cjk", "pdftotext": "poppler-utils"}
LACKING = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
FORMULA_TEXT = "=HYPERLINK(A1)&村"
DIVISIONS = f"""code,name,level,parent_code
370000000000,山东省,province,
371300000000,临沂市,city,370000000000
371302000000,兰山区,county,371300000000
371311000000,罗庄区,county,371300000000
371302001000,兰山街道,township,371302000000
371302002000,银雀山街道,township,371302000000
371311001000,罗庄街道,township,371311000000
371302001001,甲村,village,371302001000
371302001002,乙村,village,371302001000
371302002001,丙村,village,371302002000
371311001001,{FORMULA_TEXT},village,371311001000
"""
PLATFORM = '{{id: {0}, family: {1}, level: {0}, datasets: [daily], conn_id: x, area: ["371300000000"], calendar: {2}}}'
PLATFORMS = [
    ("city", "rest", "everyday"),
    ("county", "rest", "everyday"),
    ("township", "csv", "everyday"),
    ("village", "workbook", "workdays"),
]
Figures = dict[tuple[str, str], int]
# What came on Monday; an empty one is a nil report. Luozhuang county, its township and village 丙村 stay silent.
SUBMISSIONS: dict[str, tuple[str, Figures]] = {
    "371300000000": ("city", {("consultation", "physical"): 5, ("consultation", "hotline"): 2}),
    "371302000000": ("county", {("consultation", "physical"): 3, ("legal_aid_accepted", "network"): 1}),
    "371302001000": ("township", {}),
    "371302002000": ("township", {("document_drafted", "physical"): 1200, ("consultation", "network"): 4}),
    "371302001001": ("village", {("consultation", "physical"): 1, ("consultation", "network"): 0}),
    "371302001002": ("village", {}),
    "371311001001": ("village", {("counsel_duty_shift", "physical"): 1, ("consultation", "physical"): 8}),
}
# On Sunday no village is due; one reports all the same.
ON_SUNDAY = ("371302000000", "371311001001")
Sheet = dict[str, dict[tuple[str, str], Any]]


@dataclass(frozen=True)
class City:
    engine: Engine
    catalog: Catalog


@pytest.fixture(scope="module")
def city(server: ServerAddress, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("city")
    (folder / "platforms").mkdir()
    (folder / "platforms" / "city.yaml").write_text(
        "".join(f"- {PLATFORM.format(*each)}\n" for each in PLATFORMS)
    )
    (folder / "divisions.csv").write_text(DIVISIONS)
    catalog = load_catalog(folder)
    server.ensure_database("workbook")
    engine = open_warehouse(Settings(folder, server.url("workbook"), "", None))
    migrate(engine)
    load_divisions(engine, folder / "divisions.csv", None, MONDAY)
    cells = register_catalog(engine, catalog)
    for day in (SUNDAY, MONDAY):
        with engine.begin() as conn:
            conn.execute(sa.text("SELECT core.ensure_month(:day)"), {"day": day})
            for unit, (platform, figures) in SUBMISSIONS.items():
                if day == MONDAY or unit in ON_SUNDAY:
                    submit(conn, day, unit, platform, {cells[cell]: value for cell, value in figures.items()})
            reject(conn, day)
        roll_up_day(engine, catalog, day, whole=True)
    yield City(engine, catalog)
    engine.dispose()


def submit(conn: sa.Connection, day: date, unit: str, platform: str, figures: dict[int, int]) -> None:
    ordered = sorted(figures.items())
    conn.execute(
        sa.text(
            """
            WITH batch AS (
                INSERT INTO landing.batch (
                    platform_id, dataset, stat_date, source_name, sha256, pulled_at, state, rows_received, rows_loaded
                )
                SELECT platform_id, 'daily', :day, :unit, repeat('a', 64), :at, 'loaded', :rows, :rows
                FROM core.platform WHERE platform = :platform
                RETURNING batch_id, platform_id
            )
            INSERT INTO core.submission (
                stat_date, unit_id, platform_id, batch_id, dataset, revision, received_at, known_from, is_nil,
                cells, figures, row_numbers
            )
            SELECT :day, division_id, platform_id, batch_id, 'daily', 1, :at, :at, :rows = 0,
                CAST(:cells AS smallint[]), CAST(:figures AS bigint[]), CAST(:cells AS integer[])
            FROM batch, core.division WHERE division_code = :unit
            """
        ),
        {
            "day": day,
            "unit": unit,
            "platform": platform,
            "at": datetime(2026, 3, 2, 10, tzinfo=UTC),
            "rows": len(ordered),
            "cells": [cell for cell, _ in ordered],
            "figures": [value for _, value in ordered],
        },
    )


def reject(conn: sa.Connection, day: date) -> None:
    conn.execute(
        sa.text(
            "INSERT INTO landing.batch (platform_id, dataset, stat_date, source_name, pulled_at, state, message)"
            " SELECT platform_id, 'daily', :day, '丙.xlsx', :at, 'rejected', '=1+1 不是 xlsx 工作簿'"
            " FROM core.platform WHERE platform = 'village'"
        ),
        {"day": day, "at": datetime(2026, 3, 2, 10, tzinfo=UTC)},
    )


@pytest.fixture(scope="module")
def file(city: City, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_daily_workbook(
        city.engine, city.catalog, MONDAY, tmp_path_factory.mktemp("reports"), MADE_ON
    )


def read_sheet(file: Path, name: str, catalog: Catalog) -> Sheet:
    """Cells by unit code (or label) and (measure, channel); the counts of units under (`units`, `expected`…)."""
    sheet = openpyxl.load_workbook(file, data_only=True)[name]
    measures, channels = catalog.measure_by_name(), catalog.channel_by_name()
    keys: list[tuple[str, str]] = [("units", "expected"), ("units", "reported")]
    measure = ""
    for column in range(FIRST_FIGURE + 1, sheet.max_column + 1):
        measure = measures.get(sheet.cell(FIRST_ROW - 2, column).value or "", measure)
        label = sheet.cell(FIRST_ROW, column).value
        keys.append((measure, "all" if label == "合计" or label.startswith("仅") else channels[label]))
    read: Sheet = {}
    for row in sheet.iter_rows(min_row=FIRST_ROW + 1, values_only=True):
        if isinstance(row[FIRST_FIGURE - 1], int):
            read[str(row[0] or row[1])] = dict(zip(keys, row[FIRST_FIGURE - 2 :], strict=True))
    return read


def test_every_figure_of_the_view_stands_in_its_cell(city: City, file: Path) -> None:
    with city.engine.connect() as conn:
        query = sa.text(
            "SELECT division_code, level, measure, channel, value, units_expected, units_reported"
            " FROM mart.daily_statistics WHERE stat_date = :day AND level <> 'province' AND value IS NOT NULL"
        )
        view = conn.execute(query, {"day": MONDAY}).all()
    names = {"city": "全市", "county": "县(市、区)", "township": "乡镇(街道)", "village": "村(社区)"}
    sheets = {level: read_sheet(file, name, city.catalog) for level, name in names.items()}
    single = {each.code for each in city.catalog.measures.values() if len(each.channels) == 1}
    seen = set()
    for row in view:
        line = sheets[row.level][row.division_code]
        assert (line["units", "expected"], line["units", "reported"]) == (
            row.units_expected,
            row.units_reported,
        )
        if row.channel == "all" or row.measure not in single:
            assert line[row.measure, row.channel] == row.value, row
            seen.add((row.division_code, row.measure, row.channel))
    assert len(seen) == 40
    nil = {"371302001002"}
    for level, sheet in sheets.items():
        for code, line in sheet.items():
            for key, cell in line.items():
                if (
                    code.isdigit()
                    and isinstance(cell, int)
                    and key[0] != "units"
                    and (code, *key) not in seen
                ):
                    assert cell == 0, f"{level} {code} {key}: a figure that the view does not have"
                    assert code in nil or level != "village"


def test_zero_missing_not_listed_and_not_applicable_are_told_apart(city: City, file: Path) -> None:
    villages = read_sheet(file, "村(社区)", city.catalog)
    assert villages["371302001001"]["consultation", "network"] == 0
    assert villages["371302001001"]["counsel_duty_shift", "all"] is None
    assert set(villages["371302001002"].values()) == {0, 1}
    assert villages["371302002001"]["counsel_duty_shift", "all"] == "缺报"
    assert ("legal_aid_accepted", "all") not in villages["371302001001"]
    counties = read_sheet(file, "县(市、区)", city.catalog)
    assert counties["371302000000"]["legal_aid_accepted", "all"] == 1
    assert counties["371302000000"]["legal_aid_accepted", "physical"] is None
    assert counties["371311000000"]["legal_aid_accepted", "all"] == "缺报"
    assert counties["其中：临沂市本级自报"]["legal_aid_accepted", "all"] == "—"
    townships = read_sheet(file, "乡镇(街道)", city.catalog)
    assert townships["371302001000"]["document_drafted", "all"] == 0
    assert townships["371311001000"]["document_drafted", "all"] is None, "its village reported without it"


def test_a_unit_without_a_report_due_that_day_is_not_called_missing(city: City, tmp_path: Path) -> None:
    sunday = write_daily_workbook(city.engine, city.catalog, SUNDAY, tmp_path, MADE_ON)
    villages = read_sheet(sunday, "村(社区)", city.catalog)
    assert set(villages) == {"村(社区)合计", "罗庄街道下级合计", "371311001001"}
    assert (villages["371311001001"]["units", "expected"], villages["371311001001"]["units", "reported"]) == (
        0,
        1,
    )
    townships = read_sheet(sunday, "乡镇(街道)", city.catalog)
    assert townships["371302001000"]["consultation", "all"] == "缺报"
    assert townships["371302001000"]["counsel_duty_shift", "all"] == "/"
    assert townships["371311001000"]["counsel_duty_shift", "all"] == 1


def test_totals_are_formulas_whose_cached_values_are_their_sums(file: Path) -> None:
    formulas, values = openpyxl.load_workbook(file), openpyxl.load_workbook(file, data_only=True)
    checked = 0
    for sheet in formulas.worksheets[:-1]:
        cached = values[sheet.title]
        for row in sheet.iter_rows(min_row=FIRST_ROW + 1):
            for cell in row:
                if cell.data_type != "f":
                    continue
                function, area = re.fullmatch(
                    r"=(SUM\(|SUBTOTAL\(9,)([A-Z]+\d+:[A-Z]+\d+)\)", cell.value
                ).groups()  # type: ignore[union-attr]
                parts = [
                    cached[part.coordinate].value
                    for (part,) in sheet[area]
                    if not (function != "SUM(" and str(part.value).startswith("=SUBTOTAL"))
                ]
                assert cached[cell.coordinate].value == sum(part for part in parts if isinstance(part, int))
                checked += 1
    assert checked > 60


def test_own_figures_and_those_below_add_up_to_the_city(city: City, file: Path) -> None:
    counties = read_sheet(file, "县(市、区)", city.catalog)
    key = ("consultation", "all")
    own, below = counties["其中：临沂市本级自报"][key], counties["其中：县(市、区)合计"][key]
    assert (own, below, counties["371300000000"][key]) == (7, 16, 23)
    levels = read_sheet(file, "全市", city.catalog)
    assert [line[key] for line in levels.values()] == [23, 7, 3, 4, 9]
    townships = read_sheet(file, "乡镇(街道)", city.catalog)
    assert [townships[each][key] for each in ("乡镇(街道)合计", "兰山区下级合计", "罗庄区下级合计")] == [
        13,
        5,
        8,
    ]


def test_text_of_a_platform_never_becomes_a_formula_or_a_link(file: Path) -> None:
    book = openpyxl.load_workbook(file)
    found = [
        cell
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if str(cell.value).startswith(("=HYPERLINK", "=1+1"))
    ]
    assert len(found) == 2
    assert all(cell.data_type == "s" and cell.hyperlink is None for cell in found)


def test_both_readers_find_the_same_values(file: Path) -> None:
    book, other = openpyxl.load_workbook(file, data_only=True), python_calamine.load_workbook(str(file))
    compared = 0
    for sheet in book.worksheets:
        rows = other.get_sheet_by_name(sheet.title).to_python(skip_empty_area=False)
        for row, line in zip(sheet.iter_rows(values_only=True), rows, strict=False):
            for cell, value in zip(row, line, strict=False):
                assert (cell or "") == (value or "") or cell == value
                compared += cell is not None
    assert compared > 600


def test_the_same_day_gives_the_same_bytes_and_leaves_nothing_beside(
    city: City, file: Path, tmp_path: Path
) -> None:
    again = write_daily_workbook(city.engine, city.catalog, MONDAY, tmp_path, MADE_ON)
    assert again.name == "公共法律服务日报_临沂市_2026-03-02.xlsx"
    assert again.read_bytes() == file.read_bytes()
    assert list(tmp_path.iterdir()) == [again]


def test_the_notes_name_the_batches_that_are_not_in(file: Path) -> None:
    rows = openpyxl.load_workbook(file)["说明"].iter_rows(values_only=True)
    lines = [tuple(cell for cell in row if cell is not None) for row in rows]
    assert ("village", "丙.xlsx", "拒收", "=1+1 不是 xlsx 工作簿") in lines
    assert ("县(市、区)", 2, 1, 1, 0, "50.0%") in lines


def test_a_day_that_is_not_rolled_up_is_refused(city: City, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="not rolled up"):
        write_daily_workbook(city.engine, city.catalog, date(2026, 3, 9), tmp_path, MADE_ON)
    assert list(tmp_path.iterdir()) == []


def test_a_stored_total_that_is_not_the_sum_of_its_parts_is_refused(city: City, tmp_path: Path) -> None:
    change = sa.text(
        "UPDATE mart.daily_total SET value = value + :step FROM core.division"
        " WHERE division.division_id = daily_total.division_id AND division_code = '371302000000' AND stat_date = :day"
    )
    with city.engine.begin() as conn:
        assert conn.execute(change, {"step": 1, "day": MONDAY}).rowcount > 0
    try:
        with pytest.raises(ReportError, match="not the sum of their parts"):
            write_daily_workbook(city.engine, city.catalog, MONDAY, tmp_path, MADE_ON)
    finally:
        with city.engine.begin() as conn:
            conn.execute(change, {"step": -1, "day": MONDAY})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(
    bool(LACKING) and os.environ.get("CI") != "true", reason=f"needs: apt-get install {' '.join(LACKING)}"
)
def test_libreoffice_opens_it_and_prints_every_sheet(file: Path, tmp_path: Path) -> None:
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(file)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    pdf = tmp_path / f"{file.stem}.pdf"
    text = subprocess.run(
        ["pdftotext", "-layout", str(pdf), "-"], check=True, capture_output=True, text=True
    ).stdout
    pages = text.split("\f")[:-1]
    assert len(pages) >= 5
    assert all("公共法律服务统计日报表" in page for page in pages)
    for words in ("单位负责人", "报出日期：2026年3月3日", "计量单位", "缺报", "1,200", "甲村"):
        assert words in text
    assert not re.search(r"#(REF|NAME|VALUE|DIV)|Err:5", text)
