"""Family C, village platforms: one workbook per township and day, written by hand in Excel or WPS."""

from __future__ import annotations

import io
import math
import re
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

import python_calamine
from xlsxwriter.utility import xl_col_to_name

from etl.catalog import Catalog, Platform
from etl.sources.base import MAX_BYTES, REVIEW, Failure, Listing, Pulled, PullFailed, Reading, Unreadable
from etl.sources.cells import code_of, day_text, name_key, name_keys, read_day, read_number, tidy
from etl.sources.files import (
    STILL_WRITTEN,
    Delivery,
    Entry,
    FileOptions,
    FolderSource,
    StillWrittenError,
    Store,
)
from etl.sources.frames import Draft, Submission
from etl.sources.personal import find_personal, mask

_NAME = re.compile(r"village_([0-9]{9})_([0-9]{8})(?:_r([1-9][0-9]{0,8}))?\.xlsx")
_MAX_PACKED = 5_000_000
_MAX_ROWS = 2_000
_MAX_CELLS = 2_000_000
"""The area that a sheet's cells span is held in memory whole: one stray cell at the far end would fill it."""
_MAX_ENTRIES = 10_000
_MAX_MERGED = 100_000
_MAX_TEXT = 20_000_000
"""Characters that the cells show in all: a shared string is stored once and shown by any number of cells."""
_MAX_SHARED = 1_000_000
_MAX_MARKED = 300_000
_MAX_FIGURES = 500_000
_EXCEL_COLUMNS = 16_384
_NOT_CALCULATED = "（公式没有保存计算结果）"
_FRESH = timedelta(seconds=10)
_SHEET, _SURVEY = "日报表", "满意度"
_BLANKS = frozenset({"", "-", "/", "—"})
_CODE, _UNIT, _TOTAL = "单位代码", "单位名称", "合计"
_SIDE_COLUMNS = frozenset({"序号", "备注", "填报人", REVIEW})
_DOCTYPES = ["<!DOCTYPE".encode(coding) for coding in ("ascii", "utf-16-le", "utf-16-be")]
_DATE_LABEL, _TIME_LABEL = "统计日期", "填报时间"
_HEAD = re.compile(
    r"(填报单位|统计日期|填报时间)\s*:\s*(.*?)\s*(?=(?:填报单位|统计日期|填报时间)\s*:|$)", re.DOTALL
)
_FOOT = ("单位负责人", "填表人", "报出日期", "注:", "说明:")
_LONGEST_HEAD = 500
_EXCEL_EPOCH = date(1899, 12, 30)

_Cell: TypeAlias = Any


class Workbooks(FolderSource):
    """Village platforms (contract, C)."""

    look_again_s: float = 1.0

    def settle(self, store: Store, folders: dict[date, list[Entry]], listing: Listing) -> list[Delivery]:
        now = self.clock()
        deliveries, fresh = [], []
        for day, entries in folders.items():
            for entry in entries:
                named = _NAME.fullmatch(entry.name)
                if entry.ignored:
                    listing.ignored.append(f"{mask(entry.name)}：{entry.ignored}")
                elif not named or entry.is_folder:
                    listing.ignored.append(f"{mask(entry.name)}：不是约定的文件名")
                elif read_day(named[2]) != day:
                    listing.ignored.append(f"{mask(entry.name)}：文件名的日期不是所在文件夹的日期")
                else:
                    order = (named[1], int(named[3] or 1))
                    deliveries.append(Delivery(day, entry, None, entry.modified_at, order))
                    if now - entry.modified_at < _FRESH:
                        fresh.append(entry)
        changed = self._changed(
            store, {day for day, entries in folders.items() if set(entries) & set(fresh)}, fresh
        )
        listing.waiting += [f"{entry.name}：{STILL_WRITTEN}" for entry in changed]
        return [delivery for delivery in deliveries if delivery.entry not in changed]

    def _changed(self, store: Store, days: set[date], fresh: Sequence[Entry]) -> set[Entry]:
        """Those of the fresh files that a second look finds changed: still being written (ruling 10)."""
        if not fresh:
            return set()
        time.sleep(self.look_again_s)
        again = {entry for day in days for entry in store.entries(f"{day:%Y%m%d}")}
        return set(fresh) - again

    def fetch(self, store: Store, delivery: Delivery, options: FileOptions) -> bytes:
        data = store.read(delivery.entry, _MAX_PACKED)
        if len(data) > _MAX_PACKED:
            words = f"{delivery.entry.name} 超过 5 MB，整份退回"
            raise PullFailed(Failure("rejected", words), [data])
        if len(data) != delivery.entry.size:
            raise StillWrittenError
        return data

    def read(self, platform: Platform, catalog: Catalog, pulled: Pulled) -> Reading:
        named = _NAME.fullmatch(pulled.name)
        if not named:
            raise Unreadable(f"文件名 {pulled.name} 不是 village_<乡镇9位>_<日期8位>.xlsx 或 …_r<版次>.xlsx")
        data = b"".join(pulled.parts)
        if len(data) > _MAX_PACKED:
            raise Unreadable("文件超过 5 MB，整份退回")
        reader = _Reader(catalog, pulled, int(named[3] or 1))
        for sheet in _sheets(data):
            reader.add(sheet)
        return reader.reading()


@dataclass(frozen=True)
class _Sheet:
    """name; cells by row and column from A1; channel spans by their first cell (0-based): last column."""

    name: str
    cells: list[list[_Cell]]
    spans: dict[tuple[int, int], int]


def _sheets(data: bytes) -> list[_Sheet]:
    """The two sheets, as far as they are there, once the workbook is known to be within its limits.

    Raises Unreadable. calamine shows an error cell, or a formula without a result, as empty: what the sheet's XML
    says is put in its place. It is given the parts that were looked at, in an archive of our own: two readers of one
    broken archive may find different parts in it.
    """
    package = _Package(inflated(data))
    bounds = package.scans((_SHEET, _SURVEY))
    if _SHEET not in bounds:
        raise Unreadable(f"没有工作表“{_SHEET}”")
    looked_at = package.repacked()
    del package
    try:
        with python_calamine.CalamineWorkbook.from_filelike(looked_at) as workbook:
            return [_sheet(workbook, name, bounds[name]) for name in (_SHEET, _SURVEY) if name in bounds]
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # a panic of calamine is no Exception
        raise Unreadable(f"工作簿损坏，无法读取（{type(error).__name__}）") from None


def inflated(data: bytes) -> dict[str, bytes]:
    """The archive's entries by name in lower case, really inflated, no further than the bound: what the
    directory says of their sizes may be untrue. Raises Unreadable."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
    except Exception:  # zipfile raises many kinds on broken directories
        raise Unreadable("不是 xlsx 工作簿（不是完整的压缩包）") from None
    if len(infos) > _MAX_ENTRIES or sum(info.file_size for info in infos) > MAX_BYTES:
        raise Unreadable("解压后超过 50 MB，整份退回")
    entries: dict[str, bytes] = {}
    room = MAX_BYTES
    for info in infos:
        at = info.header_offset
        start = (
            at + 30 + sum(int.from_bytes(data[at + where : at + where + 2], "little") for where in (26, 28))
        )
        content = data[start : start + info.compress_size]
        if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Unreadable("工作簿加了密码，或用了没有约定的压缩方式")
        if info.compress_type == zipfile.ZIP_DEFLATED:
            try:
                content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(content, room + 1)
            except zlib.error:
                raise Unreadable("工作簿的压缩内容损坏") from None
        room -= len(content)
        if room < 0:
            raise Unreadable("解压后超过 50 MB，整份退回")
        name = info.filename.lower()
        if len(content) != info.file_size or name in entries:
            raise Unreadable("工作簿的压缩目录与内容不符")
        if any(mark in content for mark in _DOCTYPES):
            raise Unreadable("工作簿的 XML 带有文档类型声明，不予读取")
        entries[name] = content
    return entries


@dataclass
class _Scan:
    """What a sheet's XML says before calamine opens it: what stands in cells that calamine shows as empty."""

    name: str
    marked: dict[tuple[int, int], str]


class _Package:
    """The parts of a workbook by their names. Raises Unreadable when one that is needed is not there."""

    def __init__(self, entries: dict[str, bytes]) -> None:
        self._entries = entries
        self._paths: dict[str, str] = {}
        self._shared, self._styles = "xl/sharedstrings.xml", "xl/styles.xml"
        for one in self._elements("xl/_rels/workbook.xml.rels", "Relationship"):
            target = one["Target"].lstrip("/").lower()
            path = target if target.startswith("xl/") else f"xl/{target}"
            self._paths[one.get("Id", "")] = path
            kind = one.get("Type", "").rpartition("/")[2]
            self._shared = path if kind == "sharedStrings" else self._shared
            self._styles = path if kind == "styles" else self._styles
        self._sheets = [
            (next((value for name, value in sheet.items() if name.endswith(":id")), ""), sheet["name"])
            for sheet in self._elements("xl/workbook.xml", "sheet")
        ]
        self._looked_at: set[str] = set()

    def scans(self, wanted: Sequence[str]) -> dict[str, _Scan]:
        """Each wanted sheet that is there. Raises Unreadable when one reaches too far."""
        scans: dict[str, _Scan] = {}
        for relation, name in self._sheets:
            key = name_key(name)
            if key not in wanted:
                continue
            if key in scans:
                raise Unreadable(f"有两个工作表“{key}”")
            path = self._paths.get(relation, name)
            scans[key] = _Scan(name, _scan(self._part(path), self._shared_lengths()))
            self._looked_at.add(path)
        return scans

    def repacked(self) -> io.BytesIO:
        """The sheets looked at and what they need, under fixed names: no macros, pictures or other files, and no
        other way to find a part than ours."""
        parts = {
            "[Content_Types].xml": b"<Types/>",
            "_rels/.rels": _relations({"rId1": ("officeDocument", "xl/workbook.xml")}),
            "xl/workbook.xml": self._part("xl/workbook.xml"),
        }
        wired = {}
        for number, (relation, _) in enumerate(self._sheets):
            path = self._paths.get(relation, "")
            wired[relation] = ("worksheet", f"worksheets/sheet{number}.xml")
            if path in self._looked_at:
                parts[f"xl/worksheets/sheet{number}.xml"] = self._part(path)
        for kind, path in (("sharedStrings", self._shared), ("styles", self._styles)):
            if path in self._entries:
                wired[f"{kind}0"] = (kind, f"{kind}.xml")
                parts[f"xl/{kind}.xml"] = self._entries[path]
        parts["xl/_rels/workbook.xml.rels"] = _relations(wired)
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, content)
        file.seek(0)
        return file

    def _shared_lengths(self) -> list[int]:
        """Characters of each shared string. Raises Unreadable when they are too many."""
        lengths: list[int] = []
        if self._shared not in self._entries:
            return lengths

        def start(name: str, attributes: dict[str, str]) -> None:
            if _local(name) == "si":
                lengths.append(0)
                if len(lengths) > _MAX_SHARED:
                    raise Unreadable(f"工作簿的文字超过 {_MAX_SHARED:,} 条，整份退回")

        def text(words: str) -> None:
            if lengths:
                lengths[-1] += len(words)

        parser = expat.ParserCreate()
        parser.CharacterDataHandler = text
        _parse(self._part(self._shared), start, parser)
        return lengths

    def _part(self, name: str) -> bytes:
        content = self._entries.get(name.lower())
        if content is None:
            raise Unreadable(f"不是 xlsx 工作簿（缺少 {mask(name)[:80]}）")
        return content

    def _elements(self, part: str, wanted: str) -> list[dict[str, str]]:
        found: list[dict[str, str]] = []

        def start(name: str, attributes: dict[str, str]) -> None:
            if _local(name) == wanted and {"Relationship": "Target", "sheet": "name"}[wanted] in attributes:
                found.append(attributes)

        _parse(self._part(part), start, expat.ParserCreate())
        return found


def _relations(wired: dict[str, tuple[str, str]]) -> bytes:
    """A part of relationships: its id → kind and target."""
    kinds = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
    each = (
        f"<Relationship Id={quoteattr(name)} Type={quoteattr(kinds + kind)} Target={quoteattr(target)}/>"
        for name, (kind, target) in wired.items()
    )
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'<Relationships xmlns="{space}">{"".join(each)}</Relationships>'.encode()


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _parse(xml: bytes, start: Callable[[str, dict[str, str]], None], parser: expat.XMLParserType) -> None:
    """Walk a part's XML; entities of its own are not wanted. Raises Unreadable."""

    def refuse(*_: object) -> None:
        raise Unreadable("工作簿的 XML 带有文档类型声明，不予读取")

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    try:
        parser.Parse(xml, True)
    except (expat.ExpatError, ValueError, LookupError):
        raise Unreadable("工作簿的 XML 损坏") from None


def _scan(xml: bytes, shared: Sequence[int]) -> dict[tuple[int, int], str]:
    """What stands in error cells and in formulas without a result, by row and column (0-based), once the cells prove
    not to reach too far nor to show too much. shared: characters of each shared string."""
    marked: dict[tuple[int, int], str] = {}
    columns: dict[str, int] = {}
    row = column = -1
    last_row = last_column = shown = merged = 0
    kind_of_cell: str | None = None
    formula: tuple[int, int] | None = None
    parser = expat.ParserCreate()

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, last_row, last_column, kind_of_cell, formula, merged
        kind = _local(name)
        parser.CharacterDataHandler = None
        if kind == "c":
            mark_formula()
            reference = attributes.get("r")
            if reference is None:
                column += 1
            else:
                letters = reference.rstrip("0123456789")
                row = int(reference[len(letters) :]) - 1
                column = (
                    columns[letters] if letters in columns else columns.setdefault(letters, _column(letters))
                )
            kind_of_cell = attributes.get("t")
        elif kind in ("v", "is", "f"):
            last_row, last_column = max(last_row, row), max(last_column, column)
            if (last_row + 1) * (last_column + 1) > _MAX_CELLS:
                raise Unreadable(
                    f"工作表的内容一直延伸到第 {row + 1} 行第 {column + 1} 列，超出限度，整份退回"
                )
            if kind == "f":
                formula = row, column
            elif kind == "v":
                parser.CharacterDataHandler = (
                    error if kind_of_cell == "e" else show if kind_of_cell == "s" else calculate
                )
                if kind_of_cell == "str":
                    formula = None
        elif kind == "row":
            mark_formula()
            row = int(attributes["r"]) - 1 if "r" in attributes else row + 1
            column = -1
        elif kind == "mergeCell":
            merged += 1
            if merged > _MAX_MERGED:
                raise Unreadable(f"工作表的合并单元格超过 {_MAX_MERGED:,} 处，整份退回")

    def mark_formula() -> None:
        if formula:
            mark(formula, _NOT_CALCULATED)

    def mark(place: tuple[int, int], words: str) -> None:
        nonlocal formula
        formula = None
        marked[place] = words
        if len(marked) > _MAX_MARKED:
            raise Unreadable(f"工作表的错误值超过 {_MAX_MARKED:,} 个，整份退回")

    def calculate(words: str) -> None:
        nonlocal formula
        formula = None
        parser.CharacterDataHandler = None

    def error(words: str) -> None:
        mark((row, column), words)
        parser.CharacterDataHandler = None

    def show(words: str) -> None:
        nonlocal shown, formula
        formula = None
        parser.CharacterDataHandler = None
        number = int(words)
        shown += shared[number] if 0 <= number < len(shared) else 0
        if shown > _MAX_TEXT:
            raise Unreadable(f"工作表的文字超过 {_MAX_TEXT:,} 字，整份退回")

    _parse(xml, start, parser)
    mark_formula()
    return marked


def _column(letters: str) -> int:
    """The column (0-based) of the letters in a reference such as AB12. Raises ValueError, Unreadable."""
    if not re.fullmatch(r"[A-Za-z]{1,9}", letters):
        raise ValueError(letters)
    column = 0
    for letter in letters.upper():
        column = column * 26 + ord(letter) - 64
    if column > _EXCEL_COLUMNS:
        raise Unreadable(f"工作表的列超出 Excel 的 {_EXCEL_COLUMNS:,} 列，整份退回")
    return column - 1


def _sheet(workbook: python_calamine.CalamineWorkbook, name: str, scan: _Scan) -> _Sheet:
    sheet = workbook.get_sheet_by_name(scan.name)
    cells: list[list[_Cell]] = sheet.to_python(skip_empty_area=False)
    _widen(cells, scan.marked)
    for (row, column), words in scan.marked.items():
        cells[row][column] = words
    spans = {start: end[1] for start, end in sheet.merged_cell_ranges or ()}
    return _Sheet(name, cells, spans)


def _widen(cells: list[list[_Cell]], places: Iterable[tuple[int, int]]) -> None:
    """Make room for the places: calamine leaves out rows and columns that hold no value."""
    wide = max((column + 1 for _, column in places), default=0)
    width = max([wide, *(len(row) for row in cells[:1])])
    cells += [[] for _ in range(max((row + 1 for row, _ in places), default=0) - len(cells))]
    for row in cells:
        row += [""] * (width - len(row))


def _text(cell: _Cell) -> str:
    """What a cell shows; a whole number without a decimal point."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(" ")
    return str(cell)


def _code(cell: _Cell) -> str:
    """A division code, typed as a number or as text."""
    code = tidy(_text(cell)).lstrip("'")
    return str(int(float(code))) if re.fullmatch(r"[0-9]{12}\.0+|[0-9]\.[0-9]{1,11}[Ee]\+?11", code) else code


def _day(cell: _Cell) -> str:
    """The day in a cell in ISO form, the text as it stands when there is none. Excel's serial days count."""
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    text = _text(cell)
    if serial := re.fullmatch(r"([2-7][0-9]{4})(?:\.[0-9]+)?", text):
        return (_EXCEL_EPOCH + timedelta(days=int(serial[1]))).isoformat()
    return day_text(text)


@dataclass(frozen=True)
class _Column:
    """One column of figures; is_total when it holds the row's own sum."""

    at: int
    measure: str
    channel: str
    is_total: bool


@dataclass(frozen=True)
class _Layout:
    """Where things are in a sheet, found by what stands there."""

    code_at: int
    name_at: int
    top: int
    first_row: int
    columns: list[_Column]


class _Reader:
    """One workbook as submissions and figures."""

    def __init__(self, catalog: Catalog, pulled: Pulled, revision: int) -> None:
        self._measures = name_keys(catalog.measure_by_name())
        self._channels = name_keys(catalog.channel_by_name())
        self._pulled = pulled
        self._revision = revision
        self._draft = Draft()
        self._index: dict[str, int] = {}
        self._blank: set[int] = set()
        self._filled: set[int] = set()
        self._is_personal = False
        self._figures = 0

    def reading(self) -> Reading:
        for index in self._blank - self._filled:
            self._draft.submissions[index].is_nil = True
        if self._is_personal:
            for submission in self._draft.submissions:
                submission.personal = True
        return self._draft.reading()

    def add(self, sheet: _Sheet) -> None:
        """One sheet's villages, totals, head and foot. Raises Unreadable when it has no header."""
        layout = self._layout(sheet)
        if layout is None:
            if sheet.name == _SURVEY and not any(_text(cell) for row in sheet.cells for cell in row):
                return
            raise Unreadable(f"工作表“{sheet.name}”的表头不符：找不到 {_CODE}、{_UNIT} 和认识的指标")
        day, filled_at = self._head(sheet.cells[: layout.top])
        for row in sheet.cells[layout.top : layout.first_row]:
            self._search_outside(row)
        has_total, villages = False, 0
        for number, row in enumerate(sheet.cells[layout.first_row :], layout.first_row + 1):
            code, name = _code(row[layout.code_at]), name_key(_text(row[layout.name_at]))
            values = self._values(row, layout)
            if _TOTAL in (name, name_key(code)):
                has_total = True
                self._search_outside(row)
                self._add_totals(-1, sheet, number, values)
            elif not code.isdigit() and (_is_foot(row) or (not values and (code or not name))):
                self._search_outside(row)
            else:
                villages += 1
                if villages > _MAX_ROWS:
                    raise Unreadable(f"工作表“{sheet.name}”超过 2,000 行，整份退回")
                self._add_village(sheet, number, row, code, day, filled_at, values)
        if not has_total and sheet.name == _SHEET:
            self._draft.notes.append((-1, "missing_total_row", f"工作表“{sheet.name}”没有合计行"))

    def _layout(self, sheet: _Sheet) -> _Layout | None:
        heads = ([name_key(_text(cell)) for cell in row] for row in sheet.cells[:50])
        found = next(((at, names) for at, names in enumerate(heads) if {_CODE, _UNIT} <= set(names)), None)
        if found is None:
            return None
        top, names = found
        candidates = [top, top + 1] if top + 1 < len(sheet.cells) else [top]
        known = {
            at: sum(name_key(_text(cell)) in self._measures for cell in sheet.cells[at]) for at in candidates
        }
        measure_row = max(candidates, key=lambda at: known[at])
        if not known[measure_row]:
            return None
        code_at, name_at = names.index(_CODE), names.index(_UNIT)
        channel_row = measure_row - 1
        columns = list(self._columns(sheet, channel_row, measure_row, {code_at, name_at}))
        return _Layout(code_at, name_at, min(top, max(channel_row, 0)), measure_row + 1, columns)

    def _columns(
        self, sheet: _Sheet, channel_row: int, measure_row: int, sides: set[int]
    ) -> Iterator[_Column]:
        """Each column of figures. A channel covers the cells merged with its own; one that is not merged, all
        up to the next."""
        channel, covers = "", -1.0
        for at, cell in enumerate(sheet.cells[measure_row]):
            measure = tidy(_text(cell))
            own = tidy(_text(sheet.cells[channel_row][at])) if channel_row >= 0 else ""
            if own or at in sides:
                channel, covers = own, float(sheet.spans.get((channel_row, at), math.inf))
            if at in sides:
                channel = ""
                continue
            above = channel if at <= covers else ""
            if own and not measure:
                measure, above = own, ""
            if name_key(measure) in _SIDE_COLUMNS:
                continue
            is_total = _TOTAL in (name_key(measure), name_key(above))
            yield _Column(
                at,
                code_of(self._measures, measure or f"第 {at + 1} 列没有表头"),
                code_of(self._channels, above),
                is_total,
            )

    def _head(self, rows: Sequence[Sequence[_Cell]]) -> tuple[str, str | None]:
        """Day and time of filling: label and value in one cell, or the value in the next one filled."""
        found: dict[str, _Cell] = {}
        for row in rows:
            self._search_outside(row)
            for at, cell in enumerate(row):
                text = tidy(_text(cell)[:_LONGEST_HEAD])
                labelled = _HEAD.findall(text) or [(text, "")] * (text in (_DATE_LABEL, _TIME_LABEL))
                for label, value in labelled:
                    following = next((other for other in row[at + 1 :] if _text(other).strip()), "")
                    if _HEAD.search(tidy(_text(following)[:_LONGEST_HEAD])):
                        following = ""
                    found.setdefault(label, value or following)
        filled_at = _text(found.get(_TIME_LABEL, "")).strip()
        return _day(found.get(_DATE_LABEL, "")), filled_at or None

    def _values(self, row: Sequence[_Cell], layout: _Layout) -> list[tuple[_Column, float, str | None]]:
        """The cells that hold a value: its number, and its text unless it is a plain number."""
        values: list[tuple[_Column, float, str | None]] = []
        for column in layout.columns:
            cell = row[column.at]
            if isinstance(cell, (int, float)) and not isinstance(cell, bool) and math.isfinite(cell):
                values.append((column, float(cell), None))
            elif not isinstance(cell, str):
                values.append((column, math.nan, _text(cell)))
            elif cell and (number := read_number(cell, _BLANKS)) is not None:
                values.append((column, number, cell))
        return values

    def _add_village(
        self,
        sheet: _Sheet,
        number: int,
        row: Sequence[_Cell],
        code: str,
        day: str,
        filled_at: str | None,
        values: Sequence[tuple[_Column, float, str | None]],
    ) -> None:
        figures = [value for value in values if not value[0].is_total]
        if sheet.name == _SURVEY and code and not figures:
            return
        index = self._index.get(code) if code else None
        if index is None:
            received_at = self._pulled.received_at
            index = self._draft.submit(Submission(code, day, self._revision, received_at, filled_at))
            if code:
                self._index[code] = index
        if _holds_personal(row):
            self._draft.submissions[index].personal = True
        if not code:
            words = f"工作表“{sheet.name}”第 {number} 行没有单位代码"
            text = "|".join(filter(None, map(_text, row)))
            self._draft.problem(index, (sheet.name, number, 0), day, text, words)
            return
        if sheet.name == _SHEET:
            (self._filled if figures else self._blank).add(index)
        self._count_figures(len(figures))
        for column, value, shown in figures:
            place = (sheet.name, number, column.at + 1)
            self._draft.figure(index, place, day, column.measure, column.channel, value, shown)
        self._add_totals(index, sheet, number, [value for value in values if value[0].is_total])

    def _add_totals(
        self, index: int, sheet: _Sheet, number: int, values: Sequence[tuple[_Column, float, str | None]]
    ) -> None:
        for column, value, _ in values:
            place = f"{sheet.name}!{xl_col_to_name(column.at)}{number}"
            self._draft.total(index, _named(column.measure), _named(column.channel), value, place)

    def _count_figures(self, more: int) -> None:
        self._figures += more
        if self._figures > _MAX_FIGURES:
            raise Unreadable(f"工作簿的数超过 {_MAX_FIGURES:,} 个，整份退回")

    def _search_outside(self, row: Sequence[_Cell]) -> None:
        """Personal data in the head or the foot concerns every village of the workbook."""
        self._is_personal = self._is_personal or _holds_personal(row)


def _named(text: str) -> str | None:
    """A measure or channel that a sum is of; None when it is of all."""
    return None if name_key(text) == _TOTAL else text


def _is_foot(row: Sequence[_Cell]) -> bool:
    return any(name_key(cell).startswith(_FOOT) for cell in row if isinstance(cell, str))


def _holds_personal(row: Sequence[_Cell]) -> bool:
    return any(find_personal(_text(cell)) for cell in row if not isinstance(cell, (date, timedelta)))
