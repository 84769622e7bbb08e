"""Family B, township platforms: one gzipped CSV file per county and day, beside it its .sha256."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import math
import re
import zlib
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv
import tenacity
from pydantic import Field, field_validator

from etl.catalog import Catalog, Platform
from etl.sources.base import (
    MAX_BYTES,
    Failure,
    Listing,
    Pulled,
    PullFailed,
    Reading,
    Unreadable,
    backoff,
    read_options,
)
from etl.sources.cells import code_of, day_text, name_key, name_keys, read_day, read_number, tidy
from etl.sources.columns import Rows, Texts
from etl.sources.files import Delivery, Entry, FileOptions, FolderSource, Store
from etl.sources.frames import Draft, Submission
from etl.sources.personal import any_personal, find_personal, mask

_NAME = re.compile(r"township_([0-9]{6})_([0-9]{8})_r([1-9][0-9]{0,8})\.csv\.gz")
_DIGEST = re.compile(rb"([0-9a-fA-F]{64})(?:[ \t]+\*?([^\r\n]+))?\s*")
_PLAIN = re.compile(r"[0-9]{1,10}")
_ENCODINGS = ("gb18030", "gbk", "gb2312", "big5", "utf-8")
_BLANKS = frozenset({"", "-", "—"})
_HEADER = ("单位代码", "统计日期", "渠道", "指标", "数值", "填报时间", "版次")
_TOTAL, _NIL = "合计", "零报告"
_MAX_LINES = 1_000_000
"""The shortest line that can be right has some 40 bytes: a file of 50 MB cannot hold more that are."""
_MAX_COLUMNS = 500
_MAX_RAGGED = 10_000
_MAX_DIFFERENT = 100_000
"""Different texts in one column: a county has some dozens of units and a day 86,400 seconds."""
csv.field_size_limit(MAX_BYTES)  # a long cell is its line's trouble, not the file's


class CsvOptions(FileOptions):
    """encoding of the text; columns: the contract's column name → the platform's."""

    encoding: str = "gb18030"
    columns: dict[str, str] = Field(default_factory=dict)

    @field_validator("encoding")
    @classmethod
    def _known(cls, encoding: str) -> str:
        if encoding.lower() not in _ENCODINGS:
            raise ValueError(f"可用的编码：{'、'.join(_ENCODINGS)}")
        return encoding.lower()

    @field_validator("columns")
    @classmethod
    def _of_contract(cls, columns: dict[str, str]) -> dict[str, str]:
        if unknown := set(columns) - set(_HEADER):
            raise ValueError(f"不是约定的列：{'、'.join(sorted(unknown))}")
        return columns


class _MismatchError(Exception):
    def __init__(self, words: str, data: bytes) -> None:
        super().__init__(words)
        self.data = data


class CsvFiles(FolderSource):
    """Township platforms (contract, B)."""

    options = CsvOptions

    def settle(self, store: Store, folders: dict[date, list[Entry]], listing: Listing) -> list[Delivery]:
        deliveries = []
        for day, entries in folders.items():
            files: dict[str, Entry] = {}
            digests: dict[str, Entry] = {}
            for entry in entries:
                is_digest = entry.name.endswith(".sha256")
                named = _NAME.fullmatch(entry.name.removesuffix(".sha256"))
                ignored = entry.ignored
                if not ignored and (not named or entry.is_folder):
                    ignored = "不是约定的文件名"
                elif not ignored and named and read_day(named[2]) != day:
                    ignored = "文件名的日期不是所在文件夹的日期"
                if ignored:
                    listing.ignored.append(f"{mask(entry.name)}：{ignored}")
                else:
                    (digests if is_digest else files)[entry.name] = entry
            for name, entry in files.items():
                beside = digests.pop(f"{name}.sha256", None)
                if beside is None:
                    listing.waiting.append(f"{name}：还没有 .sha256")
                    continue
                county, _, revision = _name_of(name)
                deliveries.append(Delivery(day, entry, beside, beside.modified_at, (county, revision)))
            listing.waiting += [f"{name}：数据文件还没有到" for name in digests]
        return deliveries

    def fetch(self, store: Store, delivery: Delivery, options: FileOptions) -> bytes:
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(options.attempts),
            wait=backoff(self.first_wait_s),
            retry=tenacity.retry_if_exception_type(_MismatchError),
            reraise=True,
        )
        try:
            return retrying(_verified, store, delivery)
        except _MismatchError as error:
            words = f"{delivery.entry.name}：{error}，已读取 {options.attempts} 次"
            raise PullFailed(Failure("failed", words), [error.data]) from None

    def read(self, platform: Platform, catalog: Catalog, pulled: Pulled) -> Reading:
        return _read(read_options(CsvOptions, platform), catalog, pulled)


def _name_of(name: str) -> tuple[str, str, int]:
    """County (six digits), day (eight digits) and revision in the file's name. Raises Unreadable."""
    named = _NAME.fullmatch(name)
    if not named:
        raise Unreadable(f"文件名 {name} 不是 township_<县区6位>_<日期8位>_r<版次>.csv.gz")
    return named[1], named[2], int(named[3])


def _verified(store: Store, delivery: Delivery) -> bytes:
    assert delivery.beside is not None
    data = store.read(delivery.entry, MAX_BYTES)
    if len(data) > MAX_BYTES:
        words = f"{delivery.entry.name} 超过 50 MB，整份退回"
        raise PullFailed(Failure("rejected", words), [data])
    written = _DIGEST.fullmatch(store.read(delivery.beside, 4096))
    if not written:
        raise _MismatchError(".sha256 的内容不是 64 位十六进制的摘要", data)
    if hashlib.sha256(data).hexdigest() != written[1].decode().lower():
        raise _MismatchError("内容与 .sha256 不符，传输有误", data)
    return data


def _read(options: CsvOptions, catalog: Catalog, pulled: Pulled) -> Reading:
    county, _, revision = _name_of(pulled.name)
    table = _table(unpacked(pulled.parts), options)
    reading = _Reader(catalog, pulled, revision, table).reading()
    reading.scope, reading.scope_revision = county, revision
    return reading


def unpacked(parts: Sequence[bytes]) -> bytes:
    """The text, inflated no further than the bound. Raises Unreadable."""
    packed = b"".join(parts)
    if not packed:
        raise Unreadable("文件是空的")
    texts, room = [], MAX_BYTES + 1
    while packed:  # a gzip file may have several members, and zeros behind them
        member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            texts.append(member.decompress(packed, room))
        except zlib.error:
            raise Unreadable("gzip 内容损坏或不完整，无法解压") from None
        room -= len(texts[-1])
        if not room:
            raise Unreadable("解压后超过 50 MB，整份退回")
        if not member.eof:
            raise Unreadable("gzip 内容损坏或不完整，无法解压")
        packed = member.unused_data.lstrip(b"\0")
    return b"".join(texts)


@dataclass
class _Table:
    """The lines as columns. extra: columns unknown to the contract. ragged: lines of another width."""

    columns: dict[str, Texts]
    extra: list[Texts]
    lines: npt.NDArray[np.int32]
    value_column: int
    ragged: list[tuple[int, list[str]]]
    unit_column: int


def _table(text: bytes, options: CsvOptions) -> _Table:
    for mark in (codecs.BOM_UTF8, "\ufeff".encode("gb18030")):
        text = text.removeprefix(mark)
    head, body = _cut_head(text)
    wanted = {name: name_key(options.columns.get(name, name)) for name in _HEADER}
    header = _header(head, set(wanted.values()), options)
    body = body.rstrip(b"\r\n")
    count = _count(body, b"\n") + 1 if body else 0
    if max(count, _count(body, b"\r")) > _MAX_LINES:
        raise Unreadable(f"超过 {_MAX_LINES:,} 行，整份退回")
    ragged: list[tuple[int, list[str]]] = []
    columns = _split(body, count, len(header), options)
    lines = np.arange(2, count + 2, dtype=np.int32)
    if columns is None:
        columns, lines, ragged = _split_by_line(body, len(header), options)
    at = {name: header.index(column) for name, column in wanted.items()}
    for name, index in at.items():
        if len(columns[index].uniques) > _MAX_DIFFERENT:
            raise Unreadable(f"{name} 有超过 {_MAX_DIFFERENT:,} 种不同的内容，整份退回")
    known = set(at.values())
    return _Table(
        {name: columns[index] for name, index in at.items()},
        [column for index, column in enumerate(columns) if index not in known],
        lines,
        at["数值"] + 1,
        ragged,
        at["单位代码"],
    )


def _count(text: bytes, character: bytes) -> int:
    """How often one byte occurs; bytes.count, made for rare ones, takes four times as long."""
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == character[0]))


def _cut_head(text: bytes) -> tuple[bytes, bytes]:
    """The first line and the others, whatever ends it. Raises Unreadable when it has too many columns."""
    end = re.search(rb"\r\n?|\n", text)
    head, body = (text[: end.start()], text[end.end() :]) if end else (text, b"")
    if (columns := head.count(b",") + 1) > _MAX_COLUMNS:
        raise Unreadable(f"表头有 {columns:,} 列，超过 {_MAX_COLUMNS} 列，整份退回")
    return head, body


def _header(head: bytes, wanted: set[str], options: CsvOptions) -> list[str]:
    """The columns' names. Raises Unreadable when one is missing, and says so when only the encoding is wrong."""
    try:
        header = [name_key(name) for name in next(csv.reader([_decoded(head, options)], strict=True), [])]
    except (csv.Error, Unreadable):
        header = []
    missing = [name for name in sorted(wanted) if header.count(name) != 1]
    if not missing:
        return header
    for encoding in {"utf-8", "utf-16", "gb18030"} - {options.encoding}:
        if wanted <= {name_key(name) for name in head.decode(encoding, errors="ignore").split(",")}:
            declared = options.encoding.upper()
            raise Unreadable(f"内容是 {encoding.upper()} 编码，约定的是 {declared}：请另存为约定的编码")
    if not header:
        _decoded(head, options)
    found = mask(",".join(header))[:120]
    raise Unreadable(f"表头不符：{'、'.join(missing)} 应当各有一列，收到的表头是 {found}")


def _decoded(text: bytes, options: CsvOptions) -> str:
    try:
        return text.decode(options.encoding)
    except UnicodeDecodeError:
        raise Unreadable(f"内容不是 {options.encoding.upper()} 编码") from None


def _split(body: bytes, count: int, width: int, options: CsvOptions) -> list[Texts] | None:
    """The columns, split as bytes (no trailing byte of GB18030 is a comma, quote or line end) and decoded
    once per different text; None when lines are not all alike, for `_split_by_line` to tell them apart."""
    if not count:
        return [Texts(np.empty(0, np.int32), [])] * width
    names = [str(index) for index in range(width)]
    kind = pa.dictionary(pa.int32(), pa.binary())
    try:
        table = pyarrow.csv.read_csv(
            pa.py_buffer(body),
            read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=1 << 22, use_threads=False),
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=b'"' in body),
            convert_options=pyarrow.csv.ConvertOptions(
                check_utf8=False, column_types=dict.fromkeys(names, kind), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows != count:
        return None
    columns = []
    for column in table.unify_dictionaries().columns:
        codes = np.concatenate([chunk.indices.to_numpy() for chunk in column.chunks]).astype(
            np.int32, copy=False
        )
        uniques = [_decoded(text, options) for text in column.chunk(0).dictionary.to_pylist()]
        columns.append(Texts(codes, uniques))
    return columns


def _split_by_line(
    body: bytes, width: int, options: CsvOptions
) -> tuple[list[Texts], npt.NDArray[np.int32], list[tuple[int, list[str]]]]:
    codes: list[array[int]] = [array("i") for _ in range(width)]
    uniques: list[dict[str, int]] = [{} for _ in range(width)]
    lines: list[int] = []
    ragged: list[tuple[int, list[str]]] = []
    reader = csv.reader(
        io.TextIOWrapper(io.BytesIO(body), encoding=options.encoding, newline=""), strict=True
    )
    start = 2
    try:
        for cells in reader:
            if len(cells) > width and not any(cells[width:]):
                cells = cells[:width]
            if len(cells) == width:
                for column, known, cell in zip(codes, uniques, cells, strict=True):
                    column.append(known.setdefault(cell, len(known)))
                lines.append(start)
            elif any(cell.strip() for cell in cells):
                ragged.append((start, cells))
                if len(ragged) > _MAX_RAGGED:
                    raise Unreadable(f"超过 {_MAX_RAGGED:,} 行的列数与表头不一致，整份退回")
            start = reader.line_num + 2
    except csv.Error:
        raise Unreadable(f"第 {start} 行起引号不配对，不是 CSV") from None
    except UnicodeDecodeError:
        raise Unreadable(f"内容不是 {options.encoding.upper()} 编码") from None
    columns = [
        Texts(np.array(column, np.int32), list(known)) for column, known in zip(codes, uniques, strict=True)
    ]
    return columns, np.array(lines, np.int32), ragged


class _Reader:
    """One file's lines as submissions and figures."""

    def __init__(self, catalog: Catalog, pulled: Pulled, revision: int, table: _Table) -> None:
        self._catalog = catalog
        self._pulled = pulled
        self._revision = revision
        self._table = table
        self._draft = Draft()
        self._day = pulled.stat_date.isoformat()
        columns = table.columns
        self._unit = columns["单位代码"].map(tidy)
        self._date = columns["统计日期"].map(day_text)
        self._measure = columns["指标"]
        measures = name_keys(catalog.measure_by_name())
        channels = name_keys(catalog.channel_by_name())
        self._codes = self._measure.map(lambda text: code_of(measures, text))
        self._channel = columns["渠道"].map(lambda text: code_of(channels, text))
        self._value = columns["数值"]
        numbers = [
            math.nan if find_personal(text) else read_number(text, _BLANKS) for text in self._value.uniques
        ]
        self._number = np.array([math.nan if number is None else number for number in numbers])[
            self._value.codes
        ]
        self._has_value = np.array([number is not None for number in numbers], np.bool_)[self._value.codes]

    def reading(self) -> Reading:
        is_total, is_nil = self._named(_TOTAL), self._named(_NIL)
        is_figure = ~is_total & ~is_nil & self._has_value
        self._submit(is_nil, is_figure)
        self._note_editions()
        self._mark_personal()
        self._add_totals(is_total & self._has_value)
        self._refuse_other_nil(is_nil)
        self._add_ragged()
        return self._draft.reading(self._figures(is_figure))

    def _named(self, name: str) -> npt.NDArray[np.bool_]:
        return self._all(self._measure, lambda text: name_key(text) == name)

    @staticmethod
    def _all(texts: Texts, holds: Callable[[str], bool]) -> npt.NDArray[np.bool_]:
        return np.array([holds(text) for text in texts.uniques], np.bool_)[texts.codes]

    def _first(self, codes: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Each unit's code in its first line."""
        first = np.full(len(self._unit.uniques), -1, np.int32)
        first[self._unit.codes[::-1]] = codes[::-1]
        return first

    def _submit(self, is_nil: npt.NDArray[np.bool_], is_figure: npt.NDArray[np.bool_]) -> None:
        """One submission a unit: its date is that of its lines when they agree, else the file's."""
        unit = self._unit.codes
        first_date = self._first(self._date.codes)
        mixed = np.zeros(len(first_date), np.bool_)
        mixed[unit[self._date.codes != first_date[unit]]] = True
        filled = self._table.columns["填报时间"]
        first_filled = self._first(filled.codes)
        survey = {code for code, measure in self._catalog.measures.items() if measure.kind == "survey"}
        is_flow = is_figure & ~self._all(self._codes, survey.__contains__)
        has_nil, has_flow = (
            np.bincount(unit[lines], minlength=len(mixed)) > 0 for lines in (is_nil, is_flow)
        )
        days, times = [*self._date.uniques, self._day], [text.strip() or None for text in filled.uniques]
        of_units = (np.where(mixed, len(days) - 1, first_date), first_filled, has_nil & ~has_flow)
        for code, day, time, nil in zip(self._unit.uniques, *map(np.ndarray.tolist, of_units), strict=True):
            self._draft.submit(
                Submission(code, days[day], self._revision, self._pulled.received_at, times[time], nil)
            )
        for index in np.flatnonzero(has_nil & has_flow).tolist():
            words = f"{self._unit.uniques[index]} 既报零报告又报了数值，以数值为准"
            self._draft.notes.append((index, "nil_with_figures", words))

    def _note_editions(self) -> None:
        edition = self._table.columns["版次"]
        other = self._all(edition, lambda text: read_number(text, _BLANKS) not in (None, self._revision))
        first = np.full(len(self._unit.uniques), -1, np.int32)
        first[self._unit.codes[other]] = edition.codes[other]
        for index in np.flatnonzero(first >= 0):
            words = (
                f"{self._unit.uniques[index]} 的版次写作 {edition.uniques[first[index]]}，"
                f"以文件名的 r{self._revision} 为准"
            )
            self._draft.notes.append((int(index), "other_edition", words))

    def _mark_personal(self) -> None:
        columns = [*self._table.columns.values(), *self._table.extra]
        different = set().union(*(texts.uniques for texts in columns))
        if not any_personal(different):
            self._draft.searched = different
            return
        for texts in columns:
            for index in np.unique(self._unit.codes[texts.personal()]):
                self._draft.submissions[index].personal = True

    def _add_totals(self, lines: npt.NDArray[np.bool_]) -> None:
        channels = [None if name_key(text) == _TOTAL else text for text in self._channel.uniques]
        columns = (self._unit.codes, self._channel.codes, self._number, self._table.lines)
        for unit, channel, number, line in zip(*(column[lines].tolist() for column in columns), strict=True):
            self._draft.total(unit, None, channels[channel], number, f"{self._pulled.name}:{line}")

    def _refuse_other_nil(self, is_nil: npt.NDArray[np.bool_]) -> None:
        for at in np.flatnonzero(is_nil & (self._number != 0)):
            text = self._value.uniques[self._value.codes[at]]
            words = f"零报告的数值应为 0，收到的是 {text or '空'}"
            line, column = int(self._table.lines[at]), self._table.value_column
            self._problem(int(self._unit.codes[at]), line, text, words, column)

    def _add_ragged(self) -> None:
        if not self._table.ragged:
            return
        index = {unit: code for code, unit in enumerate(self._unit.uniques)}
        for line, cells in self._table.ragged:
            unit = tidy(cells[self._table.unit_column]) if self._table.unit_column < len(cells) else ""
            if unit not in index:
                index[unit] = self._draft.submit(
                    Submission(unit, self._day, self._revision, self._pulled.received_at)
                )
            words = f"第 {line} 行有 {len(cells)} 列，与表头不一致"
            self._problem(index[unit], line, ",".join(cells), words)
            if any(map(find_personal, cells)):
                self._draft.submissions[index[unit]].personal = True

    def _problem(self, submission: int, line: int, text: str, words: str, column: int = 0) -> None:
        self._draft.submissions[submission].is_nil = False
        self._draft.problem(submission, (self._pulled.name, line), self._day, text, words, column)

    def _figures(self, lines: npt.NDArray[np.bool_]) -> Rows:
        count = int(lines.sum())
        constant = np.zeros(count, np.int32)
        return Rows(
            self._unit.codes[lines],
            self._table.lines[lines],
            np.full(count, self._table.value_column, np.int32),
            self._number[lines],
            Texts(constant, [self._pulled.name]),
            self._unit.take(lines),
            self._date.take(lines),
            self._codes.take(lines),
            self._channel.take(lines),
            self._value.take(lines).map(lambda text: None if _PLAIN.fullmatch(text) else text),
            Texts.sparse(count, {}),
        )
