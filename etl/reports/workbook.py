"""Workbook: a table as the office receives it, ready to print, to fold and to filter."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name, xl_range_abs

from etl.catalog import Level
from etl.periods import day_zh
from etl.reports import notes as pages
from etl.reports.changes import Changes
from etl.reports.exchange import file_stem
from etl.reports.fill import is_additive
from etl.reports.formats import FONT, Formats, lines_needed, width_of
from etl.reports.table import Cell, NoFigure, Row, Table, kind_in

# Who issues the form and who fills it in, by the level of the division (domain.md: who reports).
OFFICES = {
    Level.PROVINCE: ("司法厅", "公共法律服务中心"),
    Level.CITY: ("司法局", "公共法律服务中心"),
    Level.COUNTY: ("司法局", "公共法律服务中心"),
    Level.TOWNSHIP: ("司法所", "公共法律服务工作站"),
    Level.VILLAGE: ("公共法律服务室", "公共法律服务室"),
}
LEGEND = (
    "“0”表示已报送、数值为零(零报告的单位，其应报指标均为 0)；“缺报”表示应报而未收到；"
    "空白表示已报送、但报表中没有该指标；"
    "“—”表示不适用、无可比基数或无数据；“/”表示本期本级及下级均无应报单位；“不公布”表示满意度样本过小，或可据以推算过小的样本。期内已撤销、停用的单位不列入本表。"
)
OWN_AND_BELOW = (
    "各单位的数字含本级及其全部下级；“本级”行为该单位自身报送数。小计、合计为公式，随展开、折叠不变。"
)
PAPERS = {"A3": 8, "A4": 9}
HEAD_TOP = 3
"""Title and two lines of the form's head stand above the header of the table."""
TREND = re.compile(r"trend\.(\w+)\.")


def write_workbook(
    table: Table, folder: Path, made_on: date, changes: Changes | None = None, version: int | None = None
) -> Path:
    """Write a table's workbook, `{title}_{division}_{period}.xlsx`, and return its path.

    made_on: 报出日期. changes: what differs from the version issued before, on a sheet of its own. The file is written
    beside its place and renamed; the same arguments give the same bytes. Rows go out as they are written, so that a
    province's villages need no memory of their own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{file_stem(table)}.xlsx"
    beside = folder / f".{target.name}.{os.getpid()}"
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    try:
        with xlsxwriter.Workbook(str(beside), options) as book:
            book.set_properties(
                {
                    "title": f"{table.report.title} {table.division_name} {table.period.name}",
                    "company": issuer_of(table),
                    "created": datetime.combine(made_on, time(), UTC),
                }
            )
            formats = Formats(book)
            for sheet in sheets_of(table):
                _Sheet(book, formats, table, sheet, made_on, version).write()
            pages.write_notes(book, formats, table, LEGEND)
            if changes is not None:
                pages.write_changes(book, formats, table, changes)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    return target


def sheets_of(table: Table) -> list[str]:
    """Names of the sheets that a table's columns stand on, in order."""
    named = [column.sheet for column in table.columns if column.sheet is not None]
    return list(dict.fromkeys(named)) or ["汇总表"]


def columns_on(table: Table, sheet: str) -> list[int]:
    """Numbers of the columns that stand on a sheet."""
    return [number for number, each in enumerate(table.columns) if each.sheet in (None, sheet)]


def issuer_of(table: Table) -> str:
    """制定机关."""
    return table.report.issued_by or table.division_name + OFFICES[Level(table.division_level)][0]


class _Sheet:
    """One sheet of a table. Rows are written strictly downwards."""

    def __init__(
        self,
        book: xlsxwriter.Workbook,
        formats: Formats,
        table: Table,
        name: str,
        made_on: date,
        version: int | None,
    ) -> None:
        self.book, self.formats, self.table, self.name = book, formats, table, name
        self.made_on, self.version = made_on, version
        self.numbers = columns_on(table, name)
        self.columns = [table.columns[number] for number in self.numbers]
        self.sheet: Any = book.add_worksheet(name)
        self.depth = max(len(column.heads) for column in self.columns)
        self.has_units = any(column.unit for column in self.columns)
        self.first = HEAD_TOP + self.depth + self.has_units
        self.last = self.first + len(table.rows) - 1
        self.trends = self._trends()

    def write(self) -> None:
        sheet = self.sheet
        sheet.hide_gridlines(2)
        sheet.outline_settings(True, False, False, False)
        self._set_widths()
        self._write_form_head()
        self._write_heads()
        self._write_rows()
        end = self._write_foot()
        labels = sum(column.key in ("code", "name", "number") for column in self.columns)
        sheet.freeze_panes(self.first, labels)
        sheet.autofilter(self.first - 1, 0, self.last, self.width - 1)
        sheet.print_area(0, 0, end, self.width - 1)
        sheet.repeat_rows(HEAD_TOP, self.first - 1)
        self._set_conditions()
        self._set_names()
        self._set_print()

    # --- columns ---

    def _trends(self) -> dict[int, tuple[int, int]]:
        """Where a line (sparkline) stands: after which place, over which places."""
        found: dict[str, list[int]] = {}
        for place, column in enumerate(self.columns):
            if (match := TREND.match(column.key)) is not None:
                found.setdefault(match[1], []).append(place)
        return {places[-1]: (places[0], places[-1]) for places in found.values()}

    def _at(self, place: int) -> int:
        """The column of the sheet that a column of the table stands in, lines being between them."""
        return place + sum(end < place for end in self.trends)

    @property
    def width(self) -> int:
        return len(self.columns) + len(self.trends)

    def _set_widths(self) -> None:
        self.widths: dict[int, float] = {}
        for place, (number, column) in enumerate(zip(self.numbers, self.columns, strict=True)):
            cells = [row.cells[number] for row in self.table.rows]
            self.widths[self._at(place)] = width_of(column, cells, self.table.rows)
        for end in self.trends:
            self.widths[self._at(end) + 1] = 18
        for at, width in self.widths.items():
            self.sheet.set_column(at, at, width)

    # --- heads ---

    def _write_form_head(self) -> None:
        sheet, table, last = self.sheet, self.table, self.width - 1
        office = OFFICES[Level(table.division_level)]
        middle = last // 2
        sheet.set_row(0, 34)
        title = f"{table.report.title}" + ("（初步数）" if table.is_provisional else "")
        sheet.merge_range(0, 0, 0, last, title, self.formats["title"])
        version = f"　第{self.version}版" if self.version else ""
        for row, left, centre, right in (
            (
                1,
                f"填报单位：{table.division_name}{office[1]}",
                f"报告期：{table.period.name_zh}{version}",
                f"表　　号：{table.report.number}",
            ),
            (2, f"计量单位：{table.report.unit}", pages.completeness(table), f"制定机关：{issuer_of(table)}"),
        ):
            sheet.set_row(row, 16)
            sheet.write_string(row, 0, left, self.formats["plain"])
            if 0 < middle < last:
                sheet.write_string(row, middle, centre, self.formats["center"])
            sheet.write_string(row, last, right, self.formats["right"])

    def _write_heads(self) -> None:
        """Header lines; equal heads side by side are one cell, one without a line below it reaches down. The last line
        holds the units, where there are any."""
        bottom = self.first - 1
        for level in range(self.depth + self.has_units):
            row, height = HEAD_TOP + level, 1.0
            is_units = self.has_units and row == bottom
            for heads, group in groupby(
                range(len(self.columns)), key=lambda place: self._head_of(place, level)
            ):
                places = list(group)
                first, last = self._at(places[0]), self._at(places[-1])
                if heads is None:
                    for place in places:
                        self.sheet.write_blank(row, self._at(place), None, self.formats["head"])
                else:
                    column = self.columns[places[0]]
                    is_end = len(column.heads) == level + 1
                    reach = bottom - (self.has_units and bool(column.unit)) if is_end else row
                    last += not is_end and places[-1] in self.trends
                    room = sum(self.widths[at] for at in range(first, last + 1))
                    height = max(height, lines_needed(heads[-1], room) / (reach - row + 1))
                    self._head(row, first, reach, last, heads[-1], "head")
                if is_units or level == self.depth - 1:
                    for end in self.trends.keys() & set(places):
                        text = "" if is_units else "走势"
                        self._head(row, self._at(end) + 1, row, self._at(end) + 1, text, "head")
            if is_units:
                for place, column in enumerate(self.columns):
                    if column.unit:
                        self.sheet.write_string(row, self._at(place), column.unit, self.formats["head small"])
            self.sheet.set_row(row, 15 if is_units else 14 * math.ceil(height) + 5)

    def _head_of(self, place: int, level: int) -> tuple[str, ...] | None:
        """The heads of a column down to a line; None below the last one."""
        heads = self.columns[place].heads
        return heads[: level + 1] if len(heads) > level else None

    def _head(self, row: int, first: int, reach: int, last: int, text: str, style: str) -> None:
        self.sheet.write_string(row, first, text, self.formats[style])
        for place in range(first + 1, last + 1):
            self.sheet.write_blank(row, place, None, self.formats["head"])
        if reach > row or last > first:
            # merge_range would go back to rows that are written; the cells it would fill are filled as their rows come.
            self.sheet.merge.append([row, first, reach, last])

    # --- rows ---

    def _write_rows(self) -> None:
        sheet, formats = self.sheet, self.formats
        notes = {(note.row, note.column): note.text for note in self.table.notes}
        keys = [column.key for column in self.columns]
        places = [(number, self._at(place)) for place, number in enumerate(self.numbers)]
        ends = _ends(self.table.rows)
        sums = self._sums(ends)
        styles: dict[tuple[str, int, str], list[Any]] = {}
        for number, line in enumerate(self.table.rows):
            row = self.first + number
            if line.depth:
                sheet.set_row(row, 16, None, {"level": min(line.depth, 7)})
            else:
                sheet.set_row(row, 16)
            known = (line.style, line.depth, line.unit)
            if known not in styles:
                styles[known] = [
                    formats.of_cell(
                        line.style, kind_in(column, line), line.depth if column.key == "name" else 0
                    )
                    for column in self.columns
                ]
            shown = styles[known]
            parts = ends[number]
            for place, (at, column) in enumerate(places):
                cell = line.cells[at]
                if type(cell) is int:
                    if parts is not None and place in sums[number]:
                        letter = xl_col_to_name(column)
                        area = f"{letter}{row + 2}:{letter}{self.first + parts + 1}"
                        sheet.write_formula(row, column, f"=SUBTOTAL(9,{area})", shown[place], cell)
                    else:
                        sheet.write_number(row, column, cell, shown[place])
                else:
                    self._write_cell(row, column, cell, shown[place], line, place)
            for end, (first, last) in self.trends.items():
                sheet.write_blank(row, self._at(end) + 1, None, formats.of_cell(line.style, "text", 0))
                area = f"'{self.name}'!{xl_range_abs(row, self._at(first), row, self._at(last))}"
                sheet.add_sparkline(row, self._at(end) + 1, {"range": area, "series_color": "#1F4E79"})
            if notes:
                for place, key in enumerate(keys):
                    if (text := notes.get((line.key, key))) is not None:
                        sheet.write_comment(row, self._at(place), text, {"x_scale": 2, "font_size": 9})

    def _sums(self, ends: Sequence[int | None]) -> dict[int, set[int]]:
        """For each row that sums others, the places of the columns in which it does. Where divisions moved while the
        period ran a stored total is not the sum of what stands below it, and neither is one above that by formula."""
        rows = self.table.rows
        additive = {place for place, column in enumerate(self.columns) if is_additive(column)}
        found: dict[int, set[int]] = {}
        for number in range(len(rows) - 1, -1, -1):
            if (end := ends[number]) is None:
                continue
            below = [at for at in range(number + 1, end + 1) if rows[at].depth == rows[number].depth + 1]
            found[number] = {
                place
                for place in additive
                if all(place in found[at] for at in below if at in found)
                and rows[number].cells[self.numbers[place]]
                == sum(cell for at in below if isinstance(cell := rows[at].cells[self.numbers[place]], int))
            }
        return found

    def _write_cell(self, row: int, at: int, cell: Cell, shown: Any, line: Row, place: int) -> None:
        sheet = self.sheet
        match cell:
            case None | NoFigure.NOT_LISTED | "":
                sheet.write_blank(row, at, None, shown)
            case NoFigure():
                sheet.write_string(row, at, cell.value, self.formats.of_reason(line.style, cell))
            case str():
                sheet.write_string(row, at, cell, shown)
            case date():
                sheet.write_datetime(row, at, datetime.combine(cell, time()), shown)
            case Decimal():
                kind = kind_in(self.columns[place], line)
                if kind == "number" and line.unit and cell == cell.to_integral_value():
                    shown = self.formats.of_cell(line.style, "count", 0)
                sheet.write_number(row, at, float(cell * 100 if kind == "points" else cell), shown)
            case _:
                sheet.write_number(row, at, cell, shown)

    # --- foot, names, print ---

    def _write_foot(self) -> int:
        row, last = self.last + 1, self.width - 1
        room = sum(self.widths.values())
        notes = [*self.table.report.notes, LEGEND]
        if self.table.report.subtotals and self.table.report.rows == "divisions":
            notes.insert(0, OWN_AND_BELOW)
        if self.table.report.basis:
            notes.insert(0, f"制表依据：{self.table.report.basis}")
        for number, note in enumerate(notes, start=1):
            text = f"{number}. {note}" if len(notes) > 1 else note
            self.sheet.set_row(row, 14 * lines_needed(text, room) + 2)
            if last:
                self.sheet.merge_range(row, 0, row, last, text, self.formats["wrap"])
            row += 1
        self.sheet.set_row(row, 26)
        words = [
            f"{each}：{day_zh(self.made_on)}" if each == "报出日期" else f"{each}："
            for each in self.table.report.footer
        ]
        for number, text in enumerate(words):
            at = round(number * last / max(1, len(words) - 1))
            style = "plain" if number == 0 else "right" if number == len(words) - 1 else "center"
            self.sheet.write_string(row, at, text, self.formats[style])
        return row

    def _set_conditions(self) -> None:
        """Attainment in two colours that everybody can tell apart; what is below declared completeness stands out."""
        for place, column in enumerate(self.columns):
            area = (self.first, self._at(place), self.last, self._at(place))
            show = column.key.rpartition(".")[2]
            met, short = self.formats["met"], self.formats["short"]
            if show == "attainment":
                letter = f"{xl_col_to_name(self._at(place))}{self.first + 1}"
                for sign, style in ((">=1", met), ("<1", short)):
                    rule = {
                        "type": "formula",
                        "criteria": f"=AND(ISNUMBER({letter}),ROUND({letter},6){sign})",
                        "format": style,
                    }
                    self.sheet.conditional_format(*area, rule)
            elif show in ("status", "grade", "state", "enough"):
                for text, style in (
                    ("达标", met), ("未达标", short), ("优秀", met), ("不合格", short), ("初步", short),
                    ("样本不足", short),
                ):  # fmt: skip
                    rule = {"type": "cell", "criteria": "==", "value": f'"{text}"', "format": style}
                    self.sheet.conditional_format(*area, rule)

    def _set_names(self) -> None:
        """A named range per column of figures: consultation_all_value."""
        if self.last < self.first:
            return
        index = sheets_of(self.table).index(self.name)
        for place, column in enumerate(self.columns):
            if column.sheet is None and index:
                continue
            name = "v_" + re.sub(r"\W", "_", column.key)
            at = self._at(place)
            self.book.define_name(name, f"='{self.name}'!{xl_range_abs(self.first, at, self.last, at)}")

    def _set_print(self) -> None:
        sheet, report = self.sheet, self.table.report
        sheet.set_landscape()
        sheet.set_paper(PAPERS[report.paper])
        sheet.fit_to_pages(1, 0)
        sheet.center_horizontally()
        sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
        head = f"{report.title}　{self.table.division_name}　{self.table.period.name_zh}".replace("&", "&&")
        sheet.set_header(f'&R&"{FONT}"&8{head}'[:255])
        sheet.set_footer(f'&L&"{FONT}"&8&A&C&"{FONT}"&9第 &P 页　共 &N 页')


def _ends(rows: Sequence[Row]) -> list[int | None]:
    """For each row that sums others, the number of the last one below it; None for the rest."""
    ends: list[int | None] = [None] * len(rows)
    for number, end in _branches(rows):
        ends[number] = end if end > number else None
    return ends


def _branches(rows: Sequence[Row]) -> Iterator[tuple[int, int]]:
    above: list[int] = []
    for number, row in enumerate(rows):
        while above and rows[above[-1]].depth >= row.depth:
            yield above.pop(), number - 1
        if row.style in ("total", "subtotal"):
            above.append(number)
    while above:
        yield above.pop(), len(rows) - 1
