"""Return sheet (退回单): what a sender sent, given back with the cells in question marked and the reasons beside them.

A workbook and a CSV keep their form and come under the name of their next revision: corrected and sent again, they
replace what they correct. Readers leave the column and the sheet 审核意见 out. Whatever is written here has personal
data masked, and no text in it becomes a formula.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.parsers import expat

import openpyxl
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter, range_boundaries
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from etl.catalog import Catalog, Platform
from etl.hints import Hint, find_hints
from etl.sources import SOURCES, Pulled, Reading, Unreadable
from etl.sources.base import REVIEW, plain, read_options
from etl.sources.cells import name_key
from etl.sources.csv_files import CsvOptions, unpacked
from etl.sources.personal import find_personal, mask
from etl.sources.workbooks import inflated

LARGEST_XML = 15_000_000
LARGEST_MERGED = 200_000
"""openpyxl holds some thirty times the bytes of a sheet, and one object for each cell of a merged range: a workbook
beyond these bounds gets a list of its own."""
MOST_LISTED = 5_000
MOST_COMMENTS = 2_000
LONGEST_TEXT = 1_000
MARK = PatternFill("solid", fgColor="FFFFC7CE")
HEAD_FILL = PatternFill("solid", fgColor="FFFFEB9C")
RED = "FF9C0006"
WRAPPED = Alignment(wrap_text=True, vertical="center")
LINE_HEIGHT, MOST_LINES, OPINION_WIDTH = 15, 20, 48
LIST_HEAD = ("序号", "位置", "单位代码", "原内容", "原因", "提示")
LIST_WIDTHS = (6, 26, 15, 24, 48, 60)
_NEXT = {
    "workbook": re.compile(r"(village_[0-9]{9}_[0-9]{8})(?:_r([0-9]+))?(\.xlsx)"),
    "csv": re.compile(r"(township_[0-9]{6}_[0-9]{8})_r([0-9]+)(\.csv\.gz)"),
}
_STARTS_FORMULA = re.compile(r"[\s\x00]*[=+\-@＝＋－＠]")
_NUMBER_OR_DASH = re.compile(r"\s*(?:[+-]?[0-9][0-9,]*(?:\.[0-9]*)?|[-—]+)\s*")
_HARMLESS = re.compile(r"=[A-Z0-9$:,()+\-*/. ]*")
_FUNCTIONS = frozenset({"SUM", "SUBTOTAL", "ROUND", "COUNT", "COUNTA", "AVERAGE", "MAX", "MIN", "INT", "ABS"})


@dataclass(frozen=True)
class Problem:
    """Something held back: row_number of the reading (0: of the whole file), what stood there, why."""

    row_number: int
    place: str
    unit_code: str
    reason_code: str
    reason: str
    stood: str = ""
    hint: str = ""


_SUM = Problem(0, "", "", "balance", "合计与各行之和不符")


@dataclass
class _Opinion:
    """What is said at one place of the file: part (sheet or file), line, column (0: the whole line)."""

    part: str
    line: int
    column: int
    problem: Problem
    is_in_question: bool = True


@dataclass
class _Sheet:
    """What one return sheet is made from. sums: places of the sender's sums that the rows do not add up to."""

    pulled: Pulled
    family: str
    opinions: list[_Opinion]
    of_file: list[Problem]
    sums: tuple[str, ...] = ()
    listed: list[Problem] = field(default_factory=list)


def write_return_sheet(
    pulled: Pulled,
    platform: Platform,
    catalog: Catalog,
    problems: Sequence[Problem],
    folder: Path,
    revision: int = 1,
) -> Path:
    """Write the return sheet of one batch into the folder; returns the file that goes to the sender.

    pulled: the batch's bytes as they were received. revision: the lowest that the corrected file may carry; it is at
    least the next one, and no file that is there is written over. A CSV has its .sha256 beside it. What cannot be
    opened, is too large, or is no file of the sender's (families A and D) gets a workbook with the list alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sheet = _prepare(pulled, platform, catalog, problems)
    named = _NEXT[platform.family].fullmatch(pulled.name) if platform.family in _NEXT else None
    if named:
        content = _csv(sheet, platform) if platform.family == "csv" else _workbook(sheet)
        if content is not None:
            first = max(revision, int(named[2] or 1) + 1)
            return _put(folder, lambda number: f"{named[1]}_r{first + number}{named[3]}", content)
    stem = re.sub(r"[^0-9A-Za-z_.-]", "_", pulled.name)[:80] or "batch"
    content = _saved(_listed_alone(sheet))
    return _put(folder, lambda number: f"{stem}_{REVIEW}{f'_{number + 1}' if number else ''}.xlsx", content)


def problem_of(row: Mapping[Any, Any]) -> Problem:
    """The problem in a line of the quarantine (row_number, place, unit_code, reason_code, reason, raw)."""
    raw = json.loads(row["raw"]) if isinstance(row["raw"], str) else row["raw"]
    code = row["reason_code"]
    stood = raw.get({"date": "date", "measure": "measure", "channel": "channel"}.get(code, "value"))
    if code.startswith("unit"):
        stood = raw.get("unit")
    known = (int(row["row_number"]), row["place"], row["unit_code"], code, row["reason"])
    return Problem(*known, "" if stood is None else str(stood))


def explain(
    pulled: Pulled, platform: Platform, catalog: Catalog, problems: Sequence[Problem]
) -> list[Problem]:
    """The problems with their places and hints, those of one unit and reason in one line: as the sheet lists them."""
    return _prepare(pulled, platform, catalog, problems).listed


def revision_of(name: str) -> tuple[str, int]:
    """What a file is of (all of its name but the revision), and its revision; 0 for a name of another kind."""
    named = next(filter(None, (pattern.fullmatch(name) for pattern in _NEXT.values())), None)
    return (named[1], int(named[2] or 1)) if named else (name, 0)


def _put(folder: Path, name: Callable[[int], str], content: bytes) -> Path:
    number = 0
    while (file := folder / name(number)).exists():
        number += 1
    file.write_bytes(content)
    if file.name.endswith(".csv.gz"):
        digest = hashlib.sha256(content).hexdigest()
        file.with_name(f"{file.name}.sha256").write_text(f"{digest}  {file.name}\n", encoding="ascii")
    return file


def _prepare(pulled: Pulled, platform: Platform, catalog: Catalog, problems: Sequence[Problem]) -> _Sheet:
    """Where each problem stands, which of its cells are in question, and what would mend it."""
    try:
        reading = SOURCES[platform.family].read(platform, catalog, pulled)
        held = {problem.row_number for problem in problems if problem.reason_code != "balance"}
        hints = find_hints(reading, catalog, held)
    except Unreadable:
        return _Sheet(pulled, platform.family, [], list(problems), (), _grouped(problems))
    opinions, of_file = [], []
    rows = reading.rows[["submission", "part", "line", "column"]].to_numpy(object).tolist()
    for problem in problems:
        if not 1 <= problem.row_number <= len(rows):
            of_file.append(problem)
            continue
        submission, part, line, column = rows[problem.row_number - 1]
        hint = hints.get(submission)
        opinion = _Opinion(part, line, column, problem)
        if problem.reason_code == "balance" and (hint or -1 in hints):
            opinion.is_in_question = hint is not None and problem.row_number in hint.rows
        opinions.append(opinion)
    _hint(opinions, reading, hints)
    _place(opinions)
    sums = tuple(place for hint in hints.values() for place in hint.places)
    return _Sheet(pulled, platform.family, opinions, of_file, sums, _grouped(of_file, opinions))


def _hint(opinions: Iterable[_Opinion], reading: Reading, hints: Mapping[int, Hint]) -> None:
    """Give each opinion the hint of its submission, when the checks compare its cell; else that of the file."""
    submissions = reading.rows["submission"].tolist()
    for opinion in opinions:
        number = opinion.problem.row_number
        own = hints.get(submissions[number - 1])
        words: tuple[str, ...] = ()
        if own and (opinion.problem.reason_code == "balance" or number in own.rows):
            words = own.words
        elif opinion.problem.reason_code == "balance" and -1 in hints:
            words = hints[-1].words
        if words:
            opinion.problem = _replaced(opinion.problem, hint="；".join(words))


def _place(opinions: Iterable[_Opinion]) -> None:
    for opinion in opinions:
        where = (
            f"!{get_column_letter(opinion.column)}{opinion.line}" if opinion.column else f":{opinion.line}"
        )
        opinion.problem = _replaced(opinion.problem, place=f"{opinion.part}{where}")


def _replaced(problem: Problem, **changes: Any) -> Problem:
    return Problem(**{**vars(problem), **changes})


def _grouped(of_file: Sequence[Problem], opinions: Sequence[_Opinion] = ()) -> list[Problem]:
    """One line for each unit and reason: a submission held back whole is one matter, not one a figure."""
    groups: dict[tuple[str, str, str], list[Problem]] = defaultdict(list)
    for problem in of_file:
        groups[problem.unit_code, problem.reason_code, problem.reason].append(problem)
    for opinion in sorted(opinions, key=lambda each: not each.is_in_question):
        problem = opinion.problem
        groups[problem.unit_code, problem.reason_code, problem.reason].append(problem)
    listed = []
    for same in groups.values():
        more = f" 等 {len(same)} 处" if len(same) > 1 else ""
        hint = next((problem.hint for problem in same if problem.hint), "")
        stood = same[0].stood if len({problem.stood for problem in same}) == 1 else ""
        listed.append(_replaced(same[0], place=f"{same[0].place}{more}", stood=stood, hint=hint))
    return listed


def _shown(text: str) -> str:
    """A text as it may be written: masked, without what no cell holds, not too long."""
    return plain(mask(text), LONGEST_TEXT)


def _words(problems: Iterable[Problem]) -> str:
    """Reasons and hints of one line, each once."""
    reasons, hints = [], []
    for problem in problems:
        reasons.append(problem.reason)
        hints.append(f"提示：{problem.hint}" if problem.hint else "")
    return _shown("；".join(dict.fromkeys(words for words in (*reasons, *hints) if words)))


# CSV


def _csv(sheet: _Sheet, platform: Platform) -> bytes | None:
    """The sender's lines, each with its 审核意见 in the last column; None when they cannot be read.

    A line keeps its number of cells, so that one that does not fit the header still does not.
    """
    options = read_options(CsvOptions, platform)
    opinions: dict[int, list[Problem]] = defaultdict(list)
    for opinion in sheet.opinions:
        opinions[opinion.line].append(opinion.problem)
    for place in sheet.sums:
        opinions[int(place.rpartition(":")[2])].append(_SUM)
    written = io.StringIO()
    try:
        text = unpacked(sheet.pulled.parts)
        is_crlf = text.partition(b"\n")[0].endswith(b"\r")
        writer = csv.writer(written, lineterminator="\r\n" if is_crlf else "\n")
        source = io.TextIOWrapper(io.BytesIO(text), encoding=options.encoding, newline="")
        reader = csv.reader(source, strict=True)
        header = next(reader, [])
        at = next((at for at, name in enumerate(header) if name_key(name) == REVIEW), len(header))
        writer.writerow(_beside(header, at, REVIEW))
        line = 2
        for cells in reader:
            while len(cells) > len(header) and not cells[-1]:
                cells = cells[:-1]
            writer.writerow(_beside(cells, at, _words(opinions[line])) if cells else [])
            line = reader.line_num + 1
    except (Unreadable, UnicodeDecodeError, csv.Error):
        return None
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
        file.write(written.getvalue().encode(options.encoding, errors="replace"))
    return packed.getvalue()


def _beside(cells: list[str], at: int, words: str) -> list[str]:
    """The cells as they may be written, the words in the column of 审核意见."""
    kept = [_inert(mask(cell)) for cell in cells]
    if at < len(kept):
        kept[at] = _inert(words)
        return kept
    return [*kept, _inert(words)]


def _inert(text: str) -> str:
    """A text that no program takes for a formula; numbers and dashes stay as they are."""
    if _STARTS_FORMULA.match(text) and not _NUMBER_OR_DASH.fullmatch(text):
        return f"'{text}"
    return text


# Workbooks


def _workbook(sheet: _Sheet) -> bytes | None:
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
            cell.comment = Comment(_shown(cell.comment.text), "")
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
    if _STARTS_FORMULA.match(text):
        cell.quotePrefix = True


def _mark(workbook: Any, sheet: _Sheet) -> None:
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
            words = "；".join(dict.fromkeys([*said, _words([opinion.problem])]))
            cells[0].comment = Comment(_shown(words), "审核", width=320, height=120)
            comments += 1
    for part, _, cell in (place.partition("!") for place in sheet.sums):
        if part in titles:
            titles[part][cell].fill = MARK
            by_line[part, titles[part][cell].row].append(_SUM)
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
            _write(cell, _words(problems))
            cell.font = Font(name=beside.name, sz=beside.sz, color=RED)
            cell.alignment = WRAPPED
            _make_room(worksheet, line, _words(problems), OPINION_WIDTH)
    worksheet.column_dimensions[get_column_letter(column)].width = OPINION_WIDTH


def _make_room(worksheet: Any, line: int, text: str, width: int) -> None:
    """A line high enough for a wrapped text; a Chinese character takes the room of two figures."""
    room = sum(2 if character >= "\u2e80" else 1 for character in text)
    lines = min(-(-room // width), MOST_LINES)
    if lines > 1:
        height = worksheet.row_dimensions[line].height or LINE_HEIGHT
        worksheet.row_dimensions[line].height = max(height, lines * LINE_HEIGHT)


def _list(worksheet: Worksheet, sheet: _Sheet) -> None:
    """The sheet 审核意见: what is returned, and each matter with place, what stood there, reason and hint."""
    _write(worksheet.cell(1, 1), f"{REVIEW}（退回单）")
    worksheet.cell(1, 1).font = Font(bold=True, size=14)
    name = f"{_shown(sheet.pulled.name)}，统计日期 {sheet.pulled.stat_date.isoformat()}"
    _write(worksheet.cell(2, 1), f"对应的报送：{name}")
    _write(worksheet.cell(3, 1), f"内容摘要（SHA-256）：{sheet.pulled.sha256}")
    _write(
        worksheet.cell(4, 1),
        "更正后请按本文件的文件名（新版次）再次报送，将整份替换原报送；审核意见列、表和批注可以保留，系统不读取。"
        if sheet.family in _NEXT
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
            _write(worksheet.cell(head + number, at), _shown(text))
            worksheet.cell(head + number, at).alignment = WRAPPED
            _make_room(worksheet, head + number, _shown(text), LIST_WIDTHS[at - 1])
    if (more := len(sheet.listed) - MOST_LISTED) > 0:
        _write(worksheet.cell(head + MOST_LISTED + 1, 1), f"另有 {more:,} 条未列出")
    worksheet.freeze_panes = worksheet.cell(head + 1, 1)
    worksheet.page_setup.orientation = "landscape"
    worksheet.page_setup.fitToHeight = 0
    worksheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _listed_alone(sheet: _Sheet) -> Any:
    workbook = openpyxl.Workbook()
    worksheet = workbook.active
    worksheet.title = REVIEW
    _list(worksheet, sheet)
    return workbook


def _saved(workbook: Any) -> bytes:
    file = io.BytesIO()
    workbook.properties.creator = ""
    workbook.properties.lastModifiedBy = None
    workbook.save(file)
    return file.getvalue()
