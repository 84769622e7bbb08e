"""The tables of a small city: every cell against the view, the formulas, the exchange files, LibreOffice's reading."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
import python_calamine
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from etl.catalog import Catalog, load_catalog
from etl.divisions import load_divisions
from etl.periods import Period
from etl.periods.totals import total_period
from etl.register import register_catalog
from etl.reports.compose import compose_table
from etl.reports.exchange import write_exchange
from etl.reports.publish import write_table, write_tables
from etl.reports.table import NoFigure, ReportError, Table
from etl.reports.workbook import columns_on, sheets_of, write_workbook
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
REPORTS = """
- id: ours
  title: 自制表
  number: 自1表
  period_kinds: [month]
  columns:
    - {kind: reporting, shows: [expected, received, reporting_rate, state]}
    - {kind: measures, measures: [consultation, legal_aid_accepted], channels: true, shows: [value, mom, yoy, ytd]}
"""


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
    for name in ("2026-03", "2026-03/to_date"):
        total_period(engine, catalog, Period.parse(name))
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
                nullif(CAST(:cells AS smallint[]), '{}'), nullif(CAST(:figures AS bigint[]), '{}'),
                nullif(CAST(:cells AS integer[]), '{}')
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


@dataclass(frozen=True)
class Written:
    table: Table
    file: Path


def compose(city: City, report: str, period: str, division: str | None = None) -> Table:
    with city.engine.connect().execution_options(isolation_level="REPEATABLE READ") as conn:
        return compose_table(conn, city.catalog, city.catalog.reports[report], division, Period.parse(period))


@pytest.fixture(scope="module")
def daily(city: City, tmp_path_factory: pytest.TempPathFactory) -> Written:
    table = compose(city, "daily-summary", MONDAY.isoformat())
    return Written(table, write_workbook(table, tmp_path_factory.mktemp("daily"), MADE_ON))


@pytest.fixture(scope="module")
def villages(city: City, tmp_path_factory: pytest.TempPathFactory) -> Written:
    table = compose(city, "monthly-villages", "2026-03")
    return Written(table, write_workbook(table, tmp_path_factory.mktemp("monthly"), MADE_ON))


def first_row(table: Table, sheet: str) -> int:
    """The first row of figures of a sheet, from 1: title, two lines, heads, units."""
    columns = [table.columns[number] for number in columns_on(table, sheet)]
    return 3 + max(len(column.heads) for column in columns) + any(column.unit for column in columns) + 1


def cells_of(table: Table, row: int, sheet: str) -> list[Any]:
    """What a reader finds in a row of figures."""
    found = []
    for number in columns_on(table, sheet):
        cell = table.rows[row].cells[number]
        found.append((cell.value or None) if isinstance(cell, NoFigure) else None if cell == "" else cell)
    return found


def test_two_readers_find_every_cell_of_the_table(daily: Written, villages: Written) -> None:
    compared = 0
    for written in (daily, villages):
        book = openpyxl.load_workbook(written.file, data_only=True)
        other = python_calamine.load_workbook(str(written.file))
        for sheet in sheets_of(written.table):
            start = first_row(written.table, sheet)
            lines = other.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
            for row in range(len(written.table.rows)):
                wanted = cells_of(written.table, row, sheet)
                read = [cell.value for cell in book[sheet][start + row]][: len(wanted)]
                for cell, first, second in zip(wanted, read, lines[start + row - 1], strict=False):
                    shown = float(cell) if isinstance(cell, int | Decimal) else cell
                    assert first == shown or first == pytest.approx(shown)
                    assert (second or None) == (shown or None) or second == pytest.approx(shown)
                    compared += cell is not None
    assert compared > 500


@pytest.mark.parametrize(
    ("written", "view", "where"),
    [
        ("daily", "mart.daily_statistics", "stat_date = '2026-03-02'"),
        ("villages", "mart.period_statistics", "period = '2026-03'"),
    ],
)
def test_every_figure_of_the_view_stands_in_its_cell(
    written: str, view: str, where: str, city: City, request: pytest.FixtureRequest
) -> None:
    table: Table = request.getfixturevalue(written).table
    with city.engine.connect() as conn:
        query = (
            f"SELECT division_code, measure, channel, value FROM {view} WHERE {where} AND value IS NOT NULL"
        )
        rows = conn.execute(sa.text(query)).all()
    keys = {column.key for column in table.columns}
    codes = {row.key for row in table.rows}
    seen = 0
    for row in rows:
        if row.division_code in codes and (key := f"{row.measure}.{row.channel}.value") in keys:
            assert table.cell(row.division_code, key) == row.value, row
            seen += 1
    assert seen >= 15


def test_zero_missing_not_listed_and_not_applicable_are_told_apart(city: City, daily: Written) -> None:
    villages = compose(city, "daily-villages", MONDAY.isoformat())
    shift = "counsel_duty_shift.all.value"
    assert villages.cell("371302001001", shift) is NoFigure.NOT_LISTED
    assert villages.cell("371302001002", shift) == 0
    assert villages.cell("371302002001", shift) is NoFigure.MISSING
    aid = "legal_aid_accepted"
    assert daily.table.cell("371302000000", f"{aid}.all.value") == 1
    assert daily.table.cell("371302000000", f"{aid}.physical.value") is NoFigure.NOT_LISTED
    assert daily.table.cell("371311000000", f"{aid}.all.value") is NoFigure.MISSING
    assert daily.table.cell("371300000000/own", f"{aid}.all.value") is NoFigure.NOT_APPLICABLE
    assert daily.table.cell("371302001000", "document_drafted.all.value") == 0


def test_a_unit_without_a_report_due_that_day_is_not_called_missing(city: City) -> None:
    sunday = compose(city, "daily-villages", SUNDAY.isoformat())
    assert [row.key for row in sunday.rows if row.level == "village"] == ["371311001001"]
    assert sunday.cell("371302001000", "consultation.all.value") is NoFigure.MISSING
    assert sunday.cell("371302001000", "counsel_duty_shift.all.value") is NoFigure.NOT_DUE
    assert sunday.cell("371311001000", "counsel_duty_shift.all.value") == 1


def test_subtotals_are_formulas_that_give_the_stored_values(daily: Written, villages: Written) -> None:
    checked = 0
    for written in (daily, villages):
        formulas, values = (
            openpyxl.load_workbook(written.file),
            openpyxl.load_workbook(written.file, data_only=True),
        )
        for name in sheets_of(written.table):
            for row in formulas[name].iter_rows():
                for cell in row:
                    if cell.data_type != "f":
                        continue
                    (area,) = re.fullmatch(r"=SUBTOTAL\(9,([A-Z]+\d+:[A-Z]+\d+)\)", cell.value).groups()  # type: ignore[union-attr]
                    parts = [
                        values[name][part.coordinate].value
                        for (part,) in formulas[name][area]
                        if part.data_type != "f"
                    ]
                    assert values[name][cell.coordinate].value == sum(p for p in parts if isinstance(p, int))
                    checked += 1
    assert checked > 100


def test_a_stored_total_that_is_not_the_sum_of_its_parts_is_refused(city: City) -> None:
    change = sa.text(
        "UPDATE mart.daily_sum SET figures = ARRAY(SELECT figure + :step FROM unnest(figures) AS figure)"
        " FROM core.division"
        " WHERE division.division_id = daily_sum.division_id AND division_code = '371302000000' AND stat_date = :day"
    )
    with city.engine.begin() as conn:
        assert conn.execute(change, {"step": 1, "day": MONDAY}).rowcount > 0
    try:
        with pytest.raises(ReportError, match="not the sum of their parts"):
            compose(city, "daily-summary", MONDAY.isoformat())
    finally:
        with city.engine.begin() as conn:
            conn.execute(change, {"step": -1, "day": MONDAY})


def test_text_of_a_platform_never_becomes_a_formula_or_a_link(
    villages: Written, daily: Written, tmp_path: Path
) -> None:
    found = [
        cell
        for written in (villages, daily)
        for sheet in openpyxl.load_workbook(written.file).worksheets
        for row in sheet.iter_rows()
        for cell in row
        if str(cell.value).startswith(("=HYPERLINK", "=1+1"))
    ]
    assert len(found) >= 2
    assert all(cell.data_type in ("s", "inlineStr") and cell.hyperlink is None for cell in found)
    text = write_exchange(villages.table, tmp_path)[0].read_text("utf-8-sig")
    assert f"'{FORMULA_TEXT}" in text
    assert f",{FORMULA_TEXT}" not in text


def test_the_same_table_gives_the_same_bytes_and_leaves_nothing_beside(
    daily: Written, tmp_path: Path
) -> None:
    first = write_table(daily.table, tmp_path / "a", MADE_ON)
    second = write_table(daily.table, tmp_path / "b", MADE_ON)
    assert [file.name for file in first] == [
        f"公共法律服务统计日报表_临沂市_2026-03-02{ending}"
        for ending in (".xlsx", ".csv", ".parquet", ".sdmx.csv")
    ]
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in second]
    assert sorted((tmp_path / "a").iterdir()) == sorted(first)


def test_exchange_files_hold_the_same_figures(villages: Written, tmp_path: Path) -> None:
    table = villages.table
    csv, parquet, sdmx = write_exchange(table, tmp_path)
    assert csv.read_bytes().startswith(b"\xef\xbb\xbf")
    assert len(pd.read_csv(csv)) == len(table.rows)
    columns = pd.read_parquet(parquet).set_index("row_key")
    observed = pd.read_csv(sdmx, encoding="utf-8-sig", dtype={"REF_AREA": str})
    assert list(observed.columns[:3]) == ["STRUCTURE", "STRUCTURE_ID", "ACTION"]
    key = ["REF_AREA", "MEASURE", "CHANNEL", "INDICATOR_TYPE"]
    assert not observed.duplicated(key).any()
    series = observed.set_index(key)
    compared = 0
    for row in table.rows:
        for number, column in enumerate(table.columns):
            if not column.key.endswith(".all.value"):
                continue
            cell, measure = row.cells[number], column.key.partition(".")[0].upper()
            stored = columns.loc[row.key, column.key]
            assert pd.isna(stored) if isinstance(cell, NoFigure) else stored == cell
            if row.style != "own":
                line = series.loc[(row.key, measure, "ALL", "VALUE")]
                assert line["OBS_STATUS"] == (
                    {"缺报": "L"}.get(cell.value, line["OBS_STATUS"]) if isinstance(cell, NoFigure) else "P"
                )
                assert pd.isna(line["OBS_VALUE"]) if isinstance(cell, NoFigure) else line["OBS_VALUE"] == cell
            compared += 1
    assert compared > 50


def test_a_new_table_is_one_entry_of_the_catalogue_and_no_code(city: City, tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "ours.yaml").write_text(REPORTS, encoding="utf-8")
    catalog = load_catalog(tmp_path)
    files = write_tables(city.engine, catalog, Period.parse("2026-03"), tmp_path / "out", MADE_ON)
    assert files[0].name == "自制表_临沂市_2026-03.xlsx"
    sheet = openpyxl.load_workbook(files[0], data_only=True)["汇总表"]
    values = {row[0]: row for row in sheet.iter_rows(values_only=True)}
    assert values["371300000000"][6] == 34, "consultations of Sunday and Monday"


def test_a_period_that_is_not_shown_is_refused(city: City, tmp_path: Path) -> None:
    for period, words in (("2026-03-09", "not rolled up"), ("2026-04", "not totalled yet")):
        with pytest.raises(ReportError, match=words):
            write_tables(city.engine, city.catalog, Period.parse(period), tmp_path, MADE_ON)
    assert list(tmp_path.iterdir()) == []


def test_the_notes_name_the_batches_that_are_not_in(daily: Written) -> None:
    rows = openpyxl.load_workbook(daily.file)["指标解释与数据质量"].iter_rows(values_only=True)
    lines = [tuple(cell for cell in row if cell is not None) for row in rows]
    assert ("village", "2026-03-02", "拒收", "丙.xlsx", "=1+1 不是 xlsx 工作簿") in lines
    assert ("县(市、区)", 2, 2, 1, "50.0%") in lines


@pytest.mark.skipif(
    bool(LACKING) and os.environ.get("CI") != "true", reason=f"needs: apt-get install {' '.join(LACKING)}"
)
@pytest.mark.parametrize("written", ["daily", "villages"])
def test_libreoffice_opens_it_and_prints_every_column(
    written: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    table, file = request.getfixturevalue(written).table, request.getfixturevalue(written).file
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(file)]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    pdf = tmp_path / f"{file.stem}.pdf"
    text = subprocess.run(
        ["pdftotext", "-layout", str(pdf), "-"], check=True, capture_output=True, text=True
    ).stdout
    pages = text.split("\f")[:-1]
    assert len(sheets_of(table)) < len(pages) <= len(sheets_of(table)) + 3, "a page a sheet, and the notes"
    plain = re.sub(r"\s", "", text)
    for column in table.columns:
        assert re.sub(r"\s", "", column.heads[-1]) in plain
    for row in table.rows:
        assert row.key.partition("/")[0] in plain
    for words in ("单位负责人", "报出日期：2026年3月3日", "计量单位", "表号"):
        assert words in plain
    assert not re.search(r"#(REF|NAME|VALUE|DIV)|Err:5|###", text)
