"""Family C: what is read from a village workbook's bytes."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from etl.catalog import Catalog, Platform, load_catalog
from etl.sources import SOURCES, Reading, Unreadable, pulled_of

DAY = date(2026, 3, 2)
NAME = "village_371302001_20260302.xlsx"
RECEIVED_AT = datetime(2026, 3, 2, 9, 45, tzinfo=UTC)
PHYSICAL, HOTLINE = ("实体", ["解答法律咨询", "调解受理"]), ("热线", ["解答法律咨询"])
CODES = [371302001201 + n for n in range(9)]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(None)


def platform(**options: Any) -> Platform:
    return Platform(
        id="village-371302",
        family="workbook",
        level="village",
        datasets=["daily"],
        conn_id="pls_village",
        area=["371302000000"],
        calendar="workdays",
        options=options,
    )


def fill(
    sheet: Any,
    rows: list[list[Any]],
    channels: list[tuple[str, list[str]]] | None = None,
    head: tuple[Any, ...] = ("填报单位：银雀山街道", "统计日期：2026-03-02", "填报时间：2026-03-02 17:00"),
    foot: tuple[Any, ...] = ("单位负责人：张三", "填表人：李四", "报出日期：2026-03-02"),
) -> None:
    """The form of the contract, cell by cell."""
    channels = channels or [PHYSICAL, HOTLINE]
    sheet["A1"] = "村（社区）公共法律服务日报表"
    for at, words in enumerate(head):
        sheet.cell(2, 1 + 2 * at, words)
    for at, words in enumerate(("单位代码", "单位名称"), 1):
        sheet.cell(3, at, words)
        sheet.merge_cells(start_row=3, end_row=4, start_column=at, end_column=at)
    column = 3
    for channel, measures in channels:
        sheet.cell(3, column, channel)
        for at, measure in enumerate(measures, column):
            sheet.cell(4, at, measure)
        if len(measures) > 1:
            sheet.merge_cells(
                start_row=3, end_row=3, start_column=column, end_column=column + len(measures) - 1
            )
        column += len(measures)
    for number, row in enumerate(rows, 5):
        for at, value in enumerate(row, 1):
            sheet.cell(number, at, value)
    for at, words in enumerate(foot):
        sheet.cell(len(rows) + 6, 1 + 2 * at, words)


def book(
    rows: list[list[Any]], change: Callable[[openpyxl.Workbook], None] | None = None, **form: Any
) -> bytes:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "日报表"
    fill(sheet, rows, **form)
    if change:
        change(workbook)
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def read(catalog: Catalog, data: bytes, name: str = NAME, **options: Any) -> Reading:
    return SOURCES["workbook"].read(platform(**options), catalog, pulled_of(DAY, name, [data], RECEIVED_AT))


def read_rows(catalog: Catalog, *rows: list[Any], **form: Any) -> Reading:
    return read(catalog, book(list(rows), **form))


def figures(reading: Reading) -> list[tuple[Any, ...]]:
    columns = ["unit", "measure", "channel", "value"]
    return [tuple(row) for row in reading.rows[columns].itertuples(index=False)]


TOTAL = [None, "合计", 1, 2, 3]


def test_each_figure_is_a_row_of_its_village(catalog: Catalog) -> None:
    reading = read_rows(catalog, [CODES[0], "甲村", 1, 2, 3], [str(CODES[1]), "乙村", 0, None, 4], TOTAL)
    assert figures(reading) == [
        ("371302001201", "consultation", "physical", 1.0),
        ("371302001201", "mediation_accepted", "physical", 2.0),
        ("371302001201", "consultation", "hotline", 3.0),
        ("371302001202", "consultation", "physical", 0.0),
        ("371302001202", "consultation", "hotline", 4.0),
    ]
    assert reading.rows[["part", "line", "column"]].values.tolist()[2] == ["日报表", 5, 5]
    assert reading.submissions["date"].tolist() == ["2026-03-02"] * 2
    assert reading.submissions["filled_at"].tolist() == ["2026-03-02 17:00"] * 2
    assert reading.submissions["received_at"].tolist() == [RECEIVED_AT] * 2
    assert reading.submissions["revision"].tolist() == [1, 1]
    assert reading.scope is None
    assert reading.notes == []


def test_the_name_gives_the_revision(catalog: Catalog) -> None:
    data = book([[CODES[0], "甲村", 1], TOTAL])
    assert read(catalog, data, "village_371302001_20260302_r2.xlsx").submissions["revision"].tolist() == [2]
    with pytest.raises(Unreadable, match="文件名"):
        read(catalog, data, "village_371302001.xlsx")


def test_the_total_row_is_no_row_but_sums_to_check(catalog: Catalog) -> None:
    reading = read_rows(catalog, [CODES[0], "甲村", 1, 2, 3], [None, "合　计", "１", "2", "-"])
    assert reading.totals[["submission", "measure", "channel", "total"]].values.tolist() == [
        [-1, "consultation", "physical", 1.0],
        [-1, "mediation_accepted", "physical", 2.0],
    ]


def test_a_missing_total_row_is_noted(catalog: Catalog) -> None:
    reading = read_rows(catalog, [CODES[0], "甲村", 1, 2, 3])
    assert [(index, code) for index, code, _ in reading.notes] == [(-1, "missing_total_row")]
    assert len(reading.rows) == 3


@pytest.mark.parametrize("value", ["1,204", "１２０４", " 1204 ", 1204, 1204.0])
def test_values_come_as_numbers_and_as_text(catalog: Catalog, value: Any) -> None:
    assert read_rows(catalog, [CODES[0], "甲村", value], TOTAL).rows["value"].tolist() == [1204.0]


@pytest.mark.parametrize("value", ["abc", True, date(2026, 3, 2), dt.time(1, 2), "12件"])
def test_what_is_not_a_number_is_a_row_with_its_text(catalog: Catalog, value: Any) -> None:
    rows = read_rows(catalog, [CODES[0], "甲村", value], TOTAL).rows
    assert rows["value"].isna().tolist() == [True]
    assert rows["value_text"].notna().all()


def test_a_row_of_blanks_is_a_nil_report(catalog: Catalog) -> None:
    reading = read_rows(
        catalog, [CODES[0], "甲村", None, "-", "/"], [CODES[1], "乙村"], [CODES[2], None, 0], TOTAL
    )
    assert reading.submissions["is_nil"].tolist() == [True, True, False]
    assert len(reading.rows) == 1


def test_trailing_blank_and_hidden_rows_do_not_matter(catalog: Catalog) -> None:
    def change(workbook: openpyxl.Workbook) -> None:
        sheet = workbook["日报表"]
        sheet.row_dimensions[5].hidden = True
        sheet.column_dimensions["C"].hidden = True
        for row in range(10, 1500):
            sheet.cell(row, 3).font = openpyxl.styles.Font(bold=True)
        sheet.cell(1_048_576, 16_384).font = openpyxl.styles.Font(bold=True)

    reading = read(catalog, book([[CODES[0], "甲村", 1], [CODES[1], "乙村", 2], TOTAL], change))
    assert reading.rows["value"].tolist() == [1.0, 2.0]
    assert len(reading.submissions) == 2


@pytest.mark.parametrize(
    ("code", "unit"),
    [
        (371302001201, "371302001201"),
        (371302001201.0, "371302001201"),
        ("371302001201", "371302001201"),
        (" ３７１３０２００１２０１ ", "371302001201"),
        ("'371302001201", "371302001201"),
        ("371302001201.0", "371302001201"),
        ("3.71302001201E+11", "371302001201"),
        ("3713020012", "3713020012"),
        ("甲-01", "甲-01"),
    ],
)
def test_codes_come_as_numbers_and_as_text(catalog: Catalog, code: Any, unit: str) -> None:
    assert read_rows(catalog, [code, "甲村", 1], TOTAL).submissions["unit"].tolist() == [unit]


@pytest.mark.parametrize(
    "head",
    [
        ("填报单位:甲", "统计日期:2026-03-02", "填报时间:17:00"),
        ("填报单位：甲", "统计日期：2026年3月2日", "填报时间：17:00"),
        ("填报单位：甲　统计日期：2026/3/2　填报时间：17:00",),
        ("统计日期：", date(2026, 3, 2), "填报时间：", "17:00"),
        (
            "统计日期",
            datetime(2026, 3, 2),  # noqa: DTZ001  a cell has no zone
            "填报时间",
            "17:00",
        ),
        ("统计日期：", 46083, "填报时间：17:00"),
        ("统计日期：46083", "填报时间：17:00"),
        ("填报时间：17:00", "填报单位：", "统计日期： ２０２６-3-2 "),
    ],
)
def test_the_head_is_read_in_every_form(catalog: Catalog, head: tuple[Any, ...]) -> None:
    submissions = read_rows(catalog, [CODES[0], "甲村", 1], TOTAL, head=head).submissions
    assert submissions["date"].tolist() == ["2026-03-02"]
    assert submissions["filled_at"].tolist() == ["17:00"]


@pytest.mark.parametrize(
    ("head", "day"),
    [
        (("统计日期：2026-03-01",), "2026-03-01"),
        (("统计日期：昨天",), "昨天"),
        (("统计日期：", "填报时间：17:00"), ""),
        ((), ""),
    ],
)
def test_the_workbooks_own_date_stays_on_its_rows(catalog: Catalog, head: tuple[Any, ...], day: str) -> None:
    reading = read_rows(catalog, [CODES[0], "甲村", 1], TOTAL, head=head)
    assert reading.rows["date"].tolist() == [day]
    assert reading.submissions["date"].tolist() == [day]


def test_a_row_with_a_name_but_no_code_is_a_problem_row(catalog: Catalog) -> None:
    reading = read_rows(catalog, [None, "甲村", 1, 2, 3], [None, "乙村"], [CODES[0], "丙村", 1], TOTAL)
    assert reading.rows["problem"].notna().tolist() == [True, True, False]
    assert reading.rows["submission"].tolist() == [0, 1, 2]
    assert "第 5 行" in reading.rows["problem"][0]
    assert reading.submissions["is_nil"].tolist() == [False] * 3


@pytest.mark.parametrize(
    "row",
    [
        ["37130200120l", "甲村", 1, None, None, "注：补报"],
        ["37130200120①", "甲村", 1],
        ["3713O2001201", "甲村"],
        ["371302 001201", None],
        [None, "甲村", 1, None, None, "说明：新设村"],
        [None, "注：甲村", 1],
        [CODES[3], "注：甲村", 1],
    ],
)
def test_a_row_with_a_wrong_code_or_a_note_is_a_villages_still(row: list[Any], catalog: Catalog) -> None:
    reading = read_rows(catalog, [CODES[0], "丙村", 1], row, TOTAL)
    assert len(reading.submissions) == 2
    assert reading.submissions["unit"].iloc[1] != str(CODES[0])
    assert len(reading.rows) + reading.submissions["is_nil"].sum() >= 2


@pytest.mark.parametrize(
    "row",
    [
        ["填表人：李四", None, 46083],
        [None, None, None, "报出日期：2026-03-02"],
        ["注：本表一式两份"],
        ["以上数据由各村提供"],
        ["以上数据由各村提供", "审核：王五"],
        ["审核人：王五", None, "填表人：李四"],
        ["联系电话：0539-8312345"],
        ["制表日期：2026年03月02日"],
        ["备注：1、本表于2026年3月2日报出"],
        ["单位盖章：", "2026年3月2日"],
        [date(2026, 3, 2)],
        [None, " "],
    ],
)
def test_foot_notes_and_blank_rows_are_no_villages(row: list[Any], catalog: Catalog) -> None:
    reading = read_rows(catalog, [CODES[0], "丙村", 1], TOTAL, row)
    assert (len(reading.submissions), len(reading.rows)) == (1, 1)


def test_a_village_that_stands_twice_is_one_submission_with_all_rows(catalog: Catalog) -> None:
    reading = read_rows(catalog, [CODES[0], "甲村", 1], [CODES[0], "甲村", 2], TOTAL)
    assert reading.rows["submission"].tolist() == [0, 0]
    assert reading.rows["value"].tolist() == [1.0, 2.0]


def test_an_unknown_column_keeps_its_text_for_the_gate(catalog: Catalog) -> None:
    channels = [("实体", ["怪指标", "解答法律咨询"]), ("电报", ["调解受理"])]
    reading = read_rows(catalog, [CODES[0], "甲村", 1, 2, 3], TOTAL, channels=channels)
    assert [row[1:] for row in figures(reading)] == [
        ("怪指标", "physical", 1.0),
        ("consultation", "physical", 2.0),
        ("mediation_accepted", "电报", 3.0),
    ]


def test_a_column_without_a_header_is_not_lost(catalog: Catalog) -> None:
    reading = read_rows(catalog, [CODES[0], "甲村", 1, 2, 3, 9], TOTAL)
    assert figures(reading)[-1][1:] == ("第 6 列没有表头", "hotline", 9.0)


def test_the_header_is_found_by_content(catalog: Catalog) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = " 日报表"
    sheet["B3"] = "统计日期：2026-03-02"
    for column, (channel, measure) in enumerate(
        [
            ("序号", None),
            ("网 络", "调解受理"),
            (None, "解答法律 咨询"),
            ("单位名称", None),
            ("单位代码", None),
            ("备注", None),
            ("热线", "12348来电"),
        ],
        2,
    ):
        sheet.cell(6, column, channel)
        sheet.cell(7, column, measure)
    sheet.append([None, 1, 4, 5, "甲村", CODES[0], "无", 6])
    sheet.append([None, None, 4, 5, "合计", None, None, 6])
    file = io.BytesIO()
    workbook.save(file)
    reading = read(catalog, file.getvalue())
    assert [row[1:] for row in figures(reading)] == [
        ("mediation_accepted", "network", 4.0),
        ("consultation", "network", 5.0),
        ("hotline_call", "hotline", 6.0),
    ]
    assert len(reading.totals) == 3


def test_sums_of_a_row_are_no_figures(catalog: Catalog) -> None:
    channels = [("实体", ["解答法律咨询", "调解受理", "合计"]), ("合计", ["解答法律咨询"])]
    reading = read_rows(catalog, [CODES[0], "甲村", 1, 2, 3, 1], TOTAL, channels=channels)
    assert [row[3] for row in figures(reading)] == [1.0, 2.0]
    own = reading.totals[reading.totals["submission"] == 0]
    assert own[["measure", "channel", "total"]].values.tolist() == [
        [None, "physical", 3.0],
        ["consultation", None, 1.0],
    ]


def survey(workbook: openpyxl.Workbook) -> None:
    fill(
        workbook.create_sheet("满意度"),
        [[CODES[0], "甲村", 9, 8, 7], [CODES[1], "乙村"], [CODES[2], "丙村", 3], [None, "合计", 12, 8, 7]],
        channels=[("实体", ["测评份数", "回答份数"]), ("网络", ["测评份数"])],
    )


def test_the_survey_sheet_joins_the_villages_submissions(catalog: Catalog) -> None:
    reading = read(catalog, book([[CODES[0], "甲村", 1], [CODES[1], "乙村"], TOTAL], survey))
    assert [(row[0][-3:], *row[1:]) for row in figures(reading)] == [
        ("201", "consultation", "physical", 1.0),
        ("201", "survey_asked", "physical", 9.0),
        ("201", "survey_answered", "physical", 8.0),
        ("201", "survey_asked", "network", 7.0),
        ("203", "survey_asked", "physical", 3.0),
    ]
    assert reading.rows["part"].tolist() == ["日报表"] + ["满意度"] * 4
    assert reading.submissions["is_nil"].tolist() == [False, True, False]
    assert (reading.totals["submission"] == -1).all()
    assert len(reading.totals) == 6


def test_an_empty_survey_sheet_is_no_matter(catalog: Catalog) -> None:
    data = book([[CODES[0], "甲村", 1], TOTAL], lambda workbook: workbook.create_sheet("满意度") and None)
    assert len(read(catalog, data).rows) == 1


def test_formulas_count_by_their_cached_value_and_errors_are_no_numbers(catalog: Catalog) -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as workbook:
        sheet = workbook.add_worksheet("日报表")
        sheet.write_row(2, 0, ["单位代码", "单位名称", "实体"])
        sheet.write_row(3, 2, ["解答法律咨询", "调解受理", "公证咨询"])
        sheet.write_row(4, 0, [CODES[0], "甲村"])
        sheet.write_formula("C5", "=1+1", None, 2)
        sheet.write_formula("D5", "=1/0", None, "#DIV/0!")
        sheet.write_formula("E5", "=A1", None, "")
        sheet.write_row(5, 1, ["合计", 2])
    reading = read(catalog, file.getvalue())
    assert reading.rows["measure"].tolist() == ["consultation", "mediation_accepted", "notary_consultation"]
    assert reading.rows["value"].tolist()[0] == 2.0
    assert reading.rows["value"].isna().tolist() == [False, True, True]
    assert reading.rows["value_text"].tolist()[1:] == ["#DIV/0!", "（公式没有保存计算结果）"]


@pytest.mark.parametrize("value", ["13800138078", 13800138078, "张三 138-0013-8078", "371302199003071234"])
@pytest.mark.parametrize("column", [2, 3, 9])
def test_personal_data_in_a_row_marks_its_village(catalog: Catalog, value: Any, column: int) -> None:
    rows = [[CODES[0], "甲村", 1, 2, 3], [CODES[1], "乙村", 1, 2, 3], TOTAL]
    data = book(rows, lambda workbook: workbook["日报表"].cell(5, column, value) and None)
    reading = read(catalog, data)
    assert reading.submissions["personal"].tolist() == [True, False]
    assert not re.search("8078|1990", reading.rows.to_csv() + reading.submissions.to_csv())


@pytest.mark.parametrize("place", ["A1", "A2", "A9", "G40"])
def test_personal_data_in_the_head_or_the_foot_marks_every_village(catalog: Catalog, place: str) -> None:
    def change(workbook: openpyxl.Workbook) -> None:
        workbook["日报表"][place] = "填表人：李四 电话１３８００１３８０７８"

    reading = read(catalog, book([[CODES[0], "甲村", 1], [CODES[1], "乙村"], TOTAL], change))
    assert reading.submissions["personal"].tolist() == [True, True]


def test_more_than_two_thousand_villages_are_refused(catalog: Catalog) -> None:
    rows = [[371302001201 + n, "村", 1] for n in range(2_001)]
    assert len(read(catalog, book(rows[:-1])).submissions) == 2_000
    with pytest.raises(Unreadable, match="2,000"):
        read(catalog, book(rows))


def test_one_cell_at_the_far_end_is_refused_before_it_fills_the_memory(catalog: Catalog) -> None:
    data = book(
        [[CODES[0], "甲村", 1]], lambda workbook: workbook["日报表"].cell(1_048_576, 16_384, 1) and None
    )
    with pytest.raises(Unreadable, match="延伸"):
        read(catalog, data)


def repack(
    data: bytes, change: Callable[[str, bytes], bytes], extra: dict[str, bytes] | None = None
) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
        for name, content in (extra or {}).items():
            new.writestr(name, content)
    return file.getvalue()


def plain() -> bytes:
    return book([[CODES[0], "甲村", 1], TOTAL])


def with_lying_directory() -> bytes:
    """The directory says 10 bytes where a megabyte of zeros is packed."""
    data = bytearray(repack(plain(), lambda _, content: content, {"xl/media/a.bin": bytes(1_000_000)}))
    at = data.rindex(b"xl/media/a.bin") - 46
    assert data[at : at + 4] == b"PK\1\2"
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")
    return bytes(data)


def sheet_xml(old: bytes, new: bytes) -> bytes:
    def change(name: str, content: bytes) -> bytes:
        return content.replace(old, new) if "sheet1" in name else content

    return repack(plain(), change)


def test_broken_and_oversized_workbooks_are_unreadable(catalog: Catalog) -> None:
    cases = {
        "空文件": (b"", "不是 xlsx"),
        "文本": (b"unit,date\n", "不是 xlsx"),
        "截断": (plain()[:-200], "不是 xlsx"),
        "过大": (plain() + bytes(5_000_000), "5 MB"),
        "膨胀": (repack(plain(), lambda _, content: content, {"xl/media/a.bin": bytes(60_000_000)}), "50 MB"),
        "目录不实": (with_lying_directory(), "目录与内容不符"),
        "没有工作簿": (
            repack(plain(), lambda _, c: c).replace(b"xl/workbook.xml", b"xl/workbooc.xml"),
            "缺少",
        ),
        "没有日报表": (book([], lambda workbook: setattr(workbook["日报表"], "title", "其他")), "没有工作表"),
        "坏 XML": (sheet_xml(b"</sheetData>", b"</sheet"), "XML 损坏"),
        "文档类型": (sheet_xml(b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet'), "文档类型"),
        "没有表头": (book([], lambda workbook: workbook["日报表"].delete_rows(3)), "表头"),
        "没有认识的指标": (book([[CODES[0], "甲村", 1]], channels=[("实体", ["甲", "乙"])]), "表头"),
        "空表": (book([], lambda workbook: workbook["日报表"].delete_rows(1, 50)), "表头"),
    }
    for case, (data, words) in cases.items():
        with pytest.raises(Unreadable, match=words):
            pytest.fail(f"{case}: {read(catalog, data).rows}")


def test_the_same_bytes_give_the_same_reading(catalog: Catalog) -> None:
    data = book([[CODES[0], "甲村", 1], TOTAL], survey)
    first, second = read(catalog, data), read(catalog, data)
    assert len(first.rows) == 5
    assert first.rows.equals(second.rows)


def test_a_head_of_nothing_but_spaces_is_read_in_no_time(catalog: Catalog) -> None:
    reading = read_rows(
        catalog, [CODES[0], "甲村", 1], TOTAL, head=("统计日期：" + " " * 30_000 + "2026-03-02",)
    )
    assert reading.submissions["date"].tolist() == [""]
