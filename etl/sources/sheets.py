"""Sheets of a workbook as cells: the archive inflated within bounds, looked at, and only then opened."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

import python_calamine

from etl.sources.base import MAX_BYTES, Unreadable
from etl.sources.cells import name_key
from etl.sources.personal import mask

_MAX_CELLS = 2_000_000
"""The area that a sheet's cells span is held in memory whole: one stray cell at the far end would fill it."""
_MAX_ENTRIES = 10_000
_MAX_MERGED = 100_000
_MAX_TEXT = 20_000_000
"""Characters that the cells show in all: a shared string is stored once and shown by any number of cells."""
_MAX_SHARED = 1_000_000
_MAX_MARKED = 300_000
_EXCEL_COLUMNS = 16_384
_NOT_CALCULATED = "（公式没有保存计算结果）"
_DOCTYPES = ["<!DOCTYPE".encode(coding) for coding in ("ascii", "utf-16-le", "utf-16-be")]


@dataclass(frozen=True)
class Sheet:
    """name; cells by row and column from A1; channel spans by their first cell (0-based): last column."""

    name: str
    cells: list[list[Any]]
    spans: dict[tuple[int, int], int]


def read_sheets(data: bytes, wanted: Sequence[str]) -> list[Sheet]:
    """The wanted sheets, as far as they are there, once the workbook is known to be within its limits.

    Raises Unreadable, also when the first of them is not there. calamine shows an error cell, or a formula without a
    result, as empty: what the sheet's XML says is put in its place. It is given the parts that were looked at, in an
    archive of our own: two readers of one broken archive may find different parts in it.
    """
    package = _Package(inflated(data))
    bounds = package.scans(wanted)
    if wanted[0] not in bounds:
        raise Unreadable(f"没有工作表“{wanted[0]}”")
    looked_at = package.repacked()
    del package
    try:
        with python_calamine.CalamineWorkbook.from_filelike(looked_at) as workbook:
            return [_sheet(workbook, name, bounds[name]) for name in wanted if name in bounds]
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


def _sheet(workbook: python_calamine.CalamineWorkbook, name: str, scan: _Scan) -> Sheet:
    sheet = workbook.get_sheet_by_name(scan.name)
    cells: list[list[Any]] = sheet.to_python(skip_empty_area=False)
    _widen(cells, scan.marked)
    for (row, column), words in scan.marked.items():
        cells[row][column] = words
    spans = {start: end[1] for start, end in sheet.merged_cell_ranges or ()}
    return Sheet(name, cells, spans)


def _widen(cells: list[list[Any]], places: Iterable[tuple[int, int]]) -> None:
    """Make room for the places: calamine leaves out rows and columns that hold no value."""
    wide = max((column + 1 for _, column in places), default=0)
    width = max([wide, *(len(row) for row in cells[:1])])
    cells += [[] for _ in range(max((row + 1 for row, _ in places), default=0) - len(cells))]
    for row in cells:
        row += [""] * (width - len(row))
