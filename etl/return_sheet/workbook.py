"""Return sheet of a workbook: the sender's own, marked, with a column and a sheet 审核意见; or the sheet alone."""

from __future__ import annotations

import io
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from xml.parsers import expat

import openpyxl
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter, range_boundaries
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from etl.return_sheet.csv_file import STARTS_FORMULA
from etl.return_sheet.opinions import SUM, Problem, Returned, shown, words_of
from etl.sources import Unreadable
from etl.sources.base import REVIEW
from etl.sources.cells import name_key
from etl.sources.personal import find_personal, mask
from etl.sources.sheets import inflated

LARGEST_XML = 15_000_000
LARGEST_MERGED = 200_000
"""openpyxl holds some thirty times the bytes of a sheet, and one object for each cell of a merged range: a workbook
beyond these bounds gets a list of its own."""
MOST_LISTED = 5_000
MOST_COMMENTS = 2_000
MARK = PatternFill("solid", fgColor="FFFFC7CE")
HEAD_FILL = PatternFill("solid", fgColor="FFFFEB9C")
RED = "FF9C0006"
WRAPPED = Alignment(wrap_text=True, vertical="center")
LINE_HEIGHT, MOST_LINES, OPINION_WIDTH = 15, 20, 48
LIST_HEAD = ("序号", "位置", "单位代码", "原内容", "原因", "提示")
LIST_WIDTHS = (6, 26, 15, 24, 48, 60)
_HARMLESS = re.compile(r"=[A-Z0-9$:,()+\-*/. ]*")
_FUNCTIONS = frozenset({"SUM", "SUBTOTAL", "ROUND", "COUNT", "COUNTA", "AVERAGE", "MAX", "MIN", "INT", "ABS"})


def mark_workbook(sheet: Returned) -> bytes | None:
    """The sender's workbook, marked; None when openpyxl cannot open it within the bounds."""
    data = b"".join(sheet.pulled.parts)
    try:
        entries = inflated(data)
        xml = [content for name, content in entries.items() if name.endswith(".xml")]
        if sum(map(len, xml)) > LARGEST_XML or sum(map(_merged_cells, xml)) > LARGEST_MERGED:
            return None
        workbook = openpyxl.load_workbook(io.BytesIO(data), keep_links=False)
        results = openpyxl.load_workbook(io.BytesIO(data), keep_links=False, data_only=True)
        masked = {
            (name_key(worksheet.title), *place)
            for worksheet in workbook.worksheets
            for place in _make_harmless(worksheet, results[worksheet.title])
        }
        for opinion in sheet.opinions:
            if opinion.problem.reason_code == "personal":
                opinion.is_in_question = (opinion.part, opinion.line, opinion.column) in masked
        _mark(workbook, sheet)
        return _saved(workbook)
    except Unreadable:
        return None
    except Exception:  # openpyxl raises many kinds on workbooks that it does not know
        return None


def _merged_cells(xml: bytes) -> int:
    """How many cells are merged in a part. Raises Unreadable when it is no XML."""
    count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        if name.rpartition(":")[2] == "mergeCell":
            left, top, right, bottom = range_boundaries(attributes.get("ref", "A1"))
            count += (right - left + 1) * (bottom - top + 1)

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    try:
        parser.Parse(xml, True)
    except (expat.ExpatError, ValueError, TypeError, LookupError):
        raise Unreadable("工作簿的 XML 损坏") from None
    return count


def _make_harmless(worksheet: Any, results: Any) -> set[tuple[int, int]]:
    """Mask personal data, keep only plain sums as formulas, and let no text become one; returns row and column of the
    cells that were masked, which are marked too."""
    masked = set()
    for cell in list(worksheet._cells.values()):
        if cell.data_type == "f" and not _is_harmless(cell.value):
            cell.value = results.cell(cell.row, cell.column).value
        if cell.hyperlink:
            cell.hyperlink = None
        if cell.comment:
            cell.comment = Comment(shown(cell.comment.text), "")
        value = cell.value
        if cell.data_type == "f":
            continue
        text = f"{value:.0f}" if isinstance(value, (int, float)) and abs(value) >= 1e10 else value
        if isinstance(text, str) and find_personal(text):
            masked.add((cell.row, cell.column))
            cell.fill = MARK
            _write(cell, mask(text))
        elif isinstance(value, str):
            _write(cell, value)
    for place in (worksheet.oddHeader, worksheet.oddFooter, worksheet.evenHeader, worksheet.evenFooter):
        for part in (place.left, place.center, place.right):
            part.text = part.text and mask(part.text)
    return masked


def _is_harmless(formula: Any) -> bool:
    """Whether a formula only adds up and compares cells of its own sheet."""
    return (
        isinstance(formula, str)
        and bool(_HARMLESS.fullmatch(formula))
        and set(re.findall(r"([A-Z][A-Z0-9.]*)\(", formula)) <= _FUNCTIONS
    )


def _write(cell: Any, text: str) -> None:
    """Put a text into a cell as text, whatever it begins with."""
    cell.value = None
    cell._value = openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", text)
    cell.data_type = "s"
    if STARTS_FORMULA.match(text):
        cell.quotePrefix = True


def _mark(workbook: Any, sheet: Returned) -> None:
    comments = 0
    by_line: dict[tuple[str, int], list[Problem]] = defaultdict(list)
    titles = {name_key(worksheet.title): worksheet for worksheet in workbook.worksheets}
    for opinion in sheet.opinions:
        by_line[opinion.part, opinion.line].append(opinion.problem)
        worksheet = titles.get(opinion.part)
        if worksheet is None or not opinion.is_in_question:
            continue
        cells = (
            [worksheet.cell(opinion.line, opinion.column)]
            if opinion.column
            else list(worksheet[opinion.line])
        )
        for cell in cells:
            if not isinstance(cell, openpyxl.cell.MergedCell):
                cell.fill = MARK
        if comments < MOST_COMMENTS and not isinstance(cells[0], openpyxl.cell.MergedCell):
            said = [cells[0].comment.text] if cells[0].comment else []
            words = "；".join(dict.fromkeys([*said, words_of([opinion.problem])]))
            cells[0].comment = Comment(shown(words), "审核", width=320, height=120)
            comments += 1
    for part, _, cell in (place.partition("!") for place in sheet.sums):
        if part in titles:
            titles[part][cell].fill = MARK
            by_line[part, titles[part][cell].row].append(SUM)
    for key, worksheet in titles.items():
        lines = {line: problems for (part, line), problems in by_line.items() if part == key}
        if lines:
            _add_column(worksheet, lines)
    if REVIEW in titles:
        workbook.remove(titles[REVIEW])
    _list(workbook.create_sheet(REVIEW), sheet)


def _add_column(worksheet: Any, lines: Mapping[int, list[Problem]]) -> None:
    """The column 审核意见 right of everything that stands in the table's lines."""
    filled = [cell for cell in worksheet._cells.values() if cell.value is not None]
    head = min(
        (cell.row for cell in filled if name_key(str(cell.value)) == "单位代码"), default=min(lines) - 1
    )
    old = [cell.column for cell in filled if cell.row == head and name_key(str(cell.value)) == REVIEW]
    column = old[0] if old else max((cell.column for cell in filled if cell.row >= head), default=0) + 1
    for cell in [cell for cell in filled if cell.column == column and cell.row >= head]:
        if not isinstance(cell, openpyxl.cell.MergedCell):
            cell.value, cell.comment = None, None
    title = worksheet.cell(max(head, 1), column)
    _write(title, REVIEW)
    beside = worksheet.cell(max(head, 1), max(column - 1, 1)).font
    title.fill, title.alignment = HEAD_FILL, WRAPPED
    title.font = Font(name=beside.name, sz=beside.sz, bold=True)
    for line, problems in lines.items():
        cell = worksheet.cell(line, column)
        if not isinstance(cell, openpyxl.cell.MergedCell):
            _write(cell, words_of(problems))
            cell.font = Font(name=beside.name, sz=beside.sz, color=RED)
            cell.alignment = WRAPPED
            _make_room(worksheet, line, words_of(problems), OPINION_WIDTH)
    worksheet.column_dimensions[get_column_letter(column)].width = OPINION_WIDTH


def _make_room(worksheet: Any, line: int, text: str, width: int) -> None:
    """A line high enough for a wrapped text; a Chinese character takes the room of two figures."""
    room = sum(2 if character >= "\u2e80" else 1 for character in text)
    lines = min(-(-room // width), MOST_LINES)
    if lines > 1:
        height = worksheet.row_dimensions[line].height or LINE_HEIGHT
        worksheet.row_dimensions[line].height = max(height, lines * LINE_HEIGHT)


def _list(worksheet: Worksheet, sheet: Returned) -> None:
    """The sheet 审核意见: what is returned, and each matter with place, what stood there, reason and hint."""
    _write(worksheet.cell(1, 1), f"{REVIEW}（退回单）")
    worksheet.cell(1, 1).font = Font(bold=True, size=14)
    name = f"{shown(sheet.pulled.name)}，统计日期 {sheet.pulled.stat_date.isoformat()}"
    _write(worksheet.cell(2, 1), f"对应的报送：{name}")
    _write(worksheet.cell(3, 1), f"内容摘要（SHA-256）：{sheet.pulled.sha256}")
    _write(
        worksheet.cell(4, 1),
        "更正后请按本文件的文件名（新版次）再次报送，将整份替换原报送；审核意见列、表和批注可以保留，系统不读取。"
        if sheet.family in ("csv", "workbook")
        else "请在报送平台更正后以新版次再次报送，将整份替换原报送。",
    )
    head = 6
    for at, words in enumerate(LIST_HEAD, 1):
        cell = worksheet.cell(head, at)
        _write(cell, words)
        cell.font, cell.fill = Font(bold=True), HEAD_FILL
        worksheet.column_dimensions[get_column_letter(at)].width = LIST_WIDTHS[at - 1]
    for number, problem in enumerate(sheet.listed[:MOST_LISTED], 1):
        worksheet.cell(head + number, 1, number)
        texts = (problem.place, problem.unit_code, problem.stood, problem.reason, problem.hint)
        for at, text in enumerate(texts, 2):
            _write(worksheet.cell(head + number, at), shown(text))
            worksheet.cell(head + number, at).alignment = WRAPPED
            _make_room(worksheet, head + number, shown(text), LIST_WIDTHS[at - 1])
    if (more := len(sheet.listed) - MOST_LISTED) > 0:
        _write(worksheet.cell(head + MOST_LISTED + 1, 1), f"另有 {more:,} 条未列出")
    worksheet.freeze_panes = worksheet.cell(head + 1, 1)
    worksheet.page_setup.orientation = "landscape"
    worksheet.page_setup.fitToHeight = 0
    worksheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def list_alone(sheet: Returned) -> bytes:
    """A workbook with the sheet 审核意见 alone."""
    workbook = openpyxl.Workbook()
    worksheet = workbook.active
    worksheet.title = REVIEW
    _list(worksheet, sheet)
    return _saved(workbook)


def _saved(workbook: Any) -> bytes:
    file = io.BytesIO()
    workbook.properties.creator = ""
    workbook.properties.lastModifiedBy = None
    workbook.save(file)
    return file.getvalue()
