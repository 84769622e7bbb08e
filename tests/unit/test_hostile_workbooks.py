"""Hostile workbooks, from contract.md, C: each is read or refused in plain words, and no figure is lost."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from typing import Any

import openpyxl
import pandas as pd
import pytest

from etl.catalog import Catalog, load_catalog
from etl.sources import Unreadable
from tests.unit.hostile_inputs import HEAD_ROWS, village, workbook
from tests.unit.test_source_workbooks import CODES, TOTAL, book, figures, fill, read, read_rows


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(None)


def rezipped(data: bytes, changed: dict[str, bytes | str]) -> bytes:
    """The archive with parts changed or added."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in changed:
                new.writestr(name, old.read(name))
        for name, content in changed.items():
            new.writestr(name, content)
    return file.getvalue()


def part(data: bytes, name: str) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name).decode()


ONE = book([[CODES[0], "甲村", 1], TOTAL])
ENTITIES = (
    '<!DOCTYPE x [<!ENTITY a "很"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">'
    '<!ENTITY d SYSTEM "file:///etc/passwd">]>'
)


@pytest.mark.parametrize(
    "name", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml", "docProps/core.xml", "xl/x.xml"]
)
@pytest.mark.parametrize("coding", ["utf-8", "utf-16"])
def test_entities_of_its_own_are_refused_in_every_part(catalog: Catalog, name: str, coding: str) -> None:
    with zipfile.ZipFile(io.BytesIO(ONE)) as archive:
        xml = archive.read(name).decode() if name in archive.namelist() else "<x/>"
    declared = f'<?xml version="1.0" encoding="{coding}"?>{ENTITIES}{xml.partition("?>")[2] or xml}'
    with pytest.raises(Unreadable, match="文档类型声明"):
        read(catalog, rezipped(ONE, {name: declared.encode(coding)}))


def test_a_sheet_found_by_another_way_than_ours_is_not_opened(catalog: Catalog) -> None:
    far = workbook(HEAD_ROWS + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')
    hidden = rezipped(
        ONE,
        {
            "_rels/.rels": part(ONE, "_rels/.rels").replace("xl/workbook.xml", "xl/other.xml"),
            "xl/other.xml": part(ONE, "xl/workbook.xml"),
            "xl/_rels/other.xml.rels": part(ONE, "xl/_rels/workbook.xml.rels").replace("sheet1", "sheet9"),
            "xl/worksheets/sheet9.xml": part(far, "xl/worksheets/sheet1.xml"),
        },
    )
    assert read(catalog, hidden).rows["value"].tolist() == [1.0]


def test_members_that_climb_out_of_the_archive_and_archives_within_it_are_left_alone(
    catalog: Catalog,
) -> None:
    strays = {"../../etc/passwd": "x", "/etc/passwd": "x", "C:\\x.xml": "x", "xl/media/a.zip": ONE}
    assert read(catalog, rezipped(ONE, strays)).rows["value"].tolist() == [1.0]
    away = part(ONE, "xl/_rels/workbook.xml.rels").replace("worksheets/sheet1.xml", "../../../etc/passwd")
    with pytest.raises(Unreadable, match="缺少"):
        read(catalog, rezipped(ONE, {"xl/_rels/workbook.xml.rels": away}))


def test_one_long_text_shown_by_many_cells_is_refused_before_it_fills_the_memory(catalog: Catalog) -> None:
    rows = "".join(village(n, f'<c r="C{n}" t="s"><v>0</v></c>') for n in range(5, 1_000))
    with pytest.raises(Unreadable, match="20,000,000 字"):
        read(catalog, workbook(HEAD_ROWS + rows, f"<si><t>{'很' * 30_000}</t></si>"))
    assert len(read(catalog, workbook(HEAD_ROWS + rows, f"<si><t>{'很' * 300}</t></si>")).rows) == 995


def test_a_cell_of_five_megabytes_is_one_row_with_a_short_text(catalog: Catalog) -> None:
    cell = f'<c r="C5" t="inlineStr"><is><t>{"7" * 5_000_000}</t></is></c>'
    reading = read(catalog, workbook(HEAD_ROWS + village(5, cell) + village(6, '<c r="C6"><v>2</v></c>')))
    assert reading.rows["value"].isna().tolist() == [True, False]
    assert len(reading.submissions) == 2


def test_a_name_followed_by_spaces_and_more_is_not_cut_to_a_good_one(catalog: Catalog) -> None:
    code, value = f"{CODES[0]}{' ' * 2000}x", f"5{' ' * 2000}7"
    reading = read_rows(catalog, [code, "甲村", 1], [CODES[1], "乙村", value], TOTAL)
    assert str(CODES[0]) not in reading.submissions["unit"].tolist()
    assert reading.rows["value"].isna().tolist() == [False, True]


@pytest.mark.parametrize("place", ["C5", "D6", "E9"])
def test_a_formula_without_a_result_is_a_row_and_never_a_blank(catalog: Catalog, place: str) -> None:
    def change(workbook: openpyxl.Workbook) -> None:
        workbook["日报表"]["A9"] = CODES[8]
        workbook["日报表"][place] = "=1+1"

    data = book([[CODES[0], "甲村", 1, 2, 3], [CODES[1], "乙村", 1, 2, 3]], change, foot=())
    rows = read(catalog, data).rows
    bad = rows[rows["value"].isna()]
    assert bad["value_text"].tolist() == ["（公式没有保存计算结果）"]
    assert len(rows) == (7 if place == "E9" else 6)


def test_formulas_side_by_side_without_results_are_all_rows(catalog: Catalog) -> None:
    rows = read_rows(
        catalog, [CODES[0], "甲村", "=1+1", "=C5", "=D5"], [CODES[1], "乙村", "=1", 2, "=3"]
    ).rows
    assert rows["value"].isna().tolist() == [True, True, True, True, False, True]


def test_a_formula_without_a_result_in_the_total_is_noted(catalog: Catalog) -> None:
    reading = read_rows(catalog, [CODES[0], "甲村", 1], [None, "合计", "=SUM(C5:C5)"])
    assert [code for _, code, _ in reading.notes] == ["bad_total"]
    assert reading.rows["value"].tolist() == [1.0]


def test_text_that_looks_like_a_formula_is_text(catalog: Catalog) -> None:
    def change(workbook: openpyxl.Workbook) -> None:
        cell = workbook["日报表"]["C5"]
        cell.value, cell.data_type = "=cmd|' /C calc'!A0", "s"

    rows = read(catalog, book([[CODES[0], "甲村", None, 2], TOTAL], change)).rows
    assert rows["value_text"].tolist()[0] == "=cmd|' /C calc'!A0"
    assert rows["value"].isna().tolist() == [True, False]


def test_a_column_beyond_excels_last_is_refused_in_words(catalog: Catalog) -> None:
    with pytest.raises(Unreadable, match="16,384 列"):
        read(catalog, workbook(HEAD_ROWS + '<row r="5"><c r="EQXD5"><v>1</v></c></row>'))


@pytest.mark.parametrize(
    "day",
    [
        46083,
        46083.72,
        "46083",
        date(2026, 3, 2),
        pd.Timestamp(2026, 3, 2, 17).to_pydatetime(),
        "2026.3.2",
        "２０２６年３月２日",
    ],
)
def test_the_day_is_read_however_it_is_typed(catalog: Catalog, day: Any) -> None:
    reading = read_rows(catalog, [CODES[0], "甲村", 1], TOTAL, head=("填报单位：街道", "统计日期：", day))
    assert reading.submissions["date"].tolist() == ["2026-03-02"]


def test_merged_cells_everywhere_lose_no_figure(catalog: Catalog) -> None:
    def change(workbook: openpyxl.Workbook) -> None:
        sheet = workbook["日报表"]
        for area in ("A1:E1", "C5:D5", "A6:A7", "C6:E7", "A9:E20"):
            sheet.merge_cells(area)

    rows = [[CODES[0], "甲村", 1], [CODES[1], "乙村", 2], [None, "丙村", None], [CODES[3], "丁村", 4, 5, 6]]
    reading = read(catalog, book(rows, change))
    assert figures(reading)[:2] == [
        (str(CODES[0]), "consultation", "physical", 1.0),
        (str(CODES[1]), "consultation", "physical", 2.0),
    ]
    assert reading.rows["problem"].notna().sum() == 1, (
        "the merged line without a code is a problem, not a loss"
    )
    assert reading.rows["value"].tolist()[-3:] == [4.0, 5.0, 6.0]


def test_characters_that_no_database_holds_leave_the_head(catalog: Catalog) -> None:
    time = "填报时间：17:00\u202e\u200b" + "长" * 600
    reading = read_rows(
        catalog, [CODES[0], "甲村", 1], TOTAL, head=("填报单位：街道", "统计日期：2026-03-02", time)
    )
    filled_at = reading.submissions["filled_at"].tolist()[0]
    assert "\u202e" not in filled_at
    assert len(filled_at) <= 100


def test_two_sheets_of_one_name_in_other_widths_are_refused(catalog: Catalog) -> None:
    def change(workbook: openpyxl.Workbook) -> None:
        fill(workbook.create_sheet("日 报 表"), [[CODES[0], "甲村", 9]])

    with pytest.raises(Unreadable, match="两个工作表"):
        read(catalog, book([[CODES[0], "甲村", 1], TOTAL], change))


def test_the_column_and_the_sheet_of_a_return_sheet_are_left_out(catalog: Catalog) -> None:
    def change(workbook: openpyxl.Workbook) -> None:
        sheet = workbook["日报表"]
        sheet["F3"], sheet["F5"], sheet["F6"] = "审核意见", "数值 -1 为负", "合计与各行之和不符"
        workbook.create_sheet("审核意见").append(["位置", "原因"])

    with_opinions = read(catalog, book([[CODES[0], "甲村", 1, 2, 3], [None, "合计", 1, 2, 3]], change))
    without = read_rows(catalog, [CODES[0], "甲村", 1, 2, 3], [None, "合计", 1, 2, 3])
    assert figures(with_opinions) == figures(without)
    assert with_opinions.notes == without.notes == []


def lying(data: bytes, size: int) -> bytes:
    """The archive whose directory says another unpacked size of every member."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sizes = {info.file_size for info in archive.infolist()}
    for true in sizes:
        data = data.replace(true.to_bytes(4, "little"), size.to_bytes(4, "little"))
    return data


@pytest.mark.parametrize("size", [1, 10, 4_000_000])
def test_a_directory_that_lies_about_sizes_is_refused(catalog: Catalog, size: int) -> None:
    with pytest.raises(Unreadable, match=r"工作簿|50 MB"):
        read(catalog, lying(ONE, size))


def test_ten_thousand_members_and_more_are_refused(catalog: Catalog) -> None:
    data = rezipped(ONE, {f"xl/m{number}": b"" for number in range(10_001)})
    with pytest.raises(Unreadable, match="50 MB"):
        read(catalog, data)
