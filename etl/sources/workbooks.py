"""Family C, village platforms: one workbook per township and day, written by hand in Excel or WPS."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias

from xlsxwriter.utility import xl_col_to_name

from etl.catalog import Catalog, Platform
from etl.sources.base import REVIEW, Failure, Listing, Pulled, PullFailed, Reading, Unreadable
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
from etl.sources.personal import any_personal, mask
from etl.sources.sheets import Sheet, read_sheets

_NAME = re.compile(r"village_([0-9]{9})_([0-9]{8})(?:_r([1-9][0-9]{0,8}))?\.xlsx")
_MAX_PACKED = 5_000_000
_MAX_ROWS = 2_000
_MAX_FIGURES = 500_000
_FRESH = timedelta(seconds=10)
_SHEET, _SURVEY = "日报表", "满意度"
_BLANKS = frozenset({"", "-", "/", "—"})
_CODE, _UNIT, _TOTAL = "单位代码", "单位名称", "合计"
_SIDE_COLUMNS = frozenset({"序号", "备注", "填报人", REVIEW})
_DATE_LABEL, _TIME_LABEL = "统计日期", "填报时间"
_HEAD = re.compile(
    r"(填报单位|统计日期|填报时间)\s*:\s*(.*?)\s*(?=(?:填报单位|统计日期|填报时间)\s*:|$)", re.DOTALL
)
_FOOT = ("单位负责人", "填表人", "报出日期")
_NOTES = ("注:", "说明:")
_FEWEST_DIGITS = 6
"""Of a county's code."""
_IN_WORDS = re.compile("[:\u4e00-\u9fff]")
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
        for sheet in read_sheets(data, (_SHEET, _SURVEY)):
            reader.add(sheet)
        return reader.reading()


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
        self._may_be_personal = False
        self._figures = 0

    def reading(self) -> Reading:
        for index in self._blank - self._filled:
            self._draft.submissions[index].is_nil = True
        if self._is_personal:
            for submission in self._draft.submissions:
                submission.personal = True
        return self._draft.reading()

    def add(self, sheet: Sheet) -> None:
        """One sheet's villages, totals, head and foot. Raises Unreadable when it has no header."""
        self._may_be_personal = _holds_personal(cell for row in sheet.cells for cell in row)
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
            elif _is_outside(row, code, name, values):
                self._search_outside(row)
            else:
                villages += 1
                if villages > _MAX_ROWS:
                    raise Unreadable(f"工作表“{sheet.name}”超过 2,000 行，整份退回")
                self._add_village(sheet, number, row, code, day, filled_at, values)
        if not has_total and sheet.name == _SHEET:
            self._draft.notes.append((-1, "missing_total_row", f"工作表“{sheet.name}”没有合计行"))

    def _layout(self, sheet: Sheet) -> _Layout | None:
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
        self, sheet: Sheet, channel_row: int, measure_row: int, sides: set[int]
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
        sheet: Sheet,
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
        if self._is_personal_row(row):
            self._draft.submissions[index].personal = True
        if not code:
            words = f"工作表“{sheet.name}”第 {number} 行没有单位代码"
            text = "|".join(filter(None, map(_text, row)))
            self._draft.problem(index, (sheet.name, number), day, text, words)
            return
        if sheet.name == _SHEET:
            (self._filled if figures else self._blank).add(index)
        self._count_figures(len(figures))
        self._draft.figures(
            [(index, sheet.name, number, day, len(figures))],
            [column.measure for column, _, _ in figures],
            [column.channel for column, _, _ in figures],
            [value for _, value, _ in figures],
            [column.at + 1 for column, _, _ in figures],
            {at: shown for at, (_, _, shown) in enumerate(figures) if shown is not None},
        )
        self._add_totals(index, sheet, number, [value for value in values if value[0].is_total])

    def _add_totals(
        self, index: int, sheet: Sheet, number: int, values: Sequence[tuple[_Column, float, str | None]]
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
        self._is_personal = self._is_personal or self._is_personal_row(row)

    def _is_personal_row(self, row: Sequence[_Cell]) -> bool:
        return self._may_be_personal and _holds_personal(row)


def _named(text: str) -> str | None:
    """A measure or channel that a sum is of; None when it is of all."""
    return None if name_key(text) == _TOTAL else text


def _is_outside(
    row: Sequence[_Cell], code: str, name: str, values: Sequence[tuple[_Column, float, str | None]]
) -> bool:
    """Whether a row below the head is none of a village: the foot, a note, or blank.

    A wrong code is a village's still: six digits or more, or some beside a name; no label and no Chinese in it.
    """
    digits = sum(sign.isdigit() for sign in code)
    if (digits >= _FEWEST_DIGITS or (digits and name)) and not (_IN_WORDS.search(code) or read_day(code)):
        return False
    texts = [text for cell in row if (text := name_key(_text(cell)))]
    if any(text.startswith(_FOOT) for text in texts):
        return True
    if texts and texts[0].startswith(_NOTES) and all(math.isnan(value) for _, value, _ in values):
        return True
    return not values and (bool(code) or not name)


def _holds_personal(cells: Iterable[_Cell]) -> bool:
    return any_personal(_text(cell) for cell in cells if cell and not isinstance(cell, (date, timedelta)))
