"""Daily workbook (日报): the consolidated table of one day, a sheet per level, for the office and for the printer."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from itertools import groupby
from pathlib import Path
from typing import Any

import xlsxwriter
from sqlalchemy.engine import Engine
from xlsxwriter.utility import xl_col_to_name

from etl.catalog import Catalog, Level, Measure
from etl.reports.day_table import Cell, DayTable, NoFigure, ReportError, Unit, add_up, read_day_table

TITLE = "公共法律服务统计日报表"
LEVEL_NAMES = {
    Level.PROVINCE: "省",
    Level.CITY: "市",
    Level.COUNTY: "县(市、区)",
    Level.TOWNSHIP: "乡镇(街道)",
    Level.VILLAGE: "村(社区)",
}
TABLE_NUMBERS = {level: f"公法日{number}表" for number, level in enumerate(Level, start=1)}
# Who issues the form and who fills it in, by the level of the whole table (domain: who reports).
OFFICES = {
    Level.PROVINCE: ("司法厅", "公共法律服务中心"),
    Level.CITY: ("司法局", "公共法律服务中心"),
    Level.COUNTY: ("司法局", "公共法律服务中心"),
    Level.TOWNSHIP: ("司法所", "公共法律服务工作站"),
    Level.VILLAGE: ("公共法律服务室", "公共法律服务室"),
}
STATES = {"failed": "接收失败", "rejected": "拒收"}
NOTHING: tuple[str | int, ...] = ("无",)
LEGEND = (
    "“0”表示已报送、数值为零(零报告的单位，其应报指标均为 0)；“缺报”表示应报而未收到；"
    "空白表示已报送、但报表中没有该指标；"
    "“—”表示不适用，本级及下级均不报送该指标；“/”表示当日本级及下级均无应报单位。当日已撤销、停用的单位不列入本表。"
)
OWN_AND_BELOW = "各单位的数字、应报和已报单位数均含本级及其全部下级；不同级别的表不可相加。"
LABELS = ("单位代码", "单位名称", "上级单位", "应报\n单位数", "已报\n单位数")
LABEL_WIDTHS = (13.5, 22, 13, 7, 7)
FIGURE_WIDTH = 6.5
"""The narrowest column of figures; longer figures widen all of a sheet."""
HEAD_CHARACTERS = 3
"""Characters that one line of a measure's name holds in a column of that width."""
NOTE_WIDTHS = (26, 42, 11, 34, 20, 10, 10, 14)
FIRST_FIGURE = len(LABELS)
HEADER_ROWS = 3
FIRST_ROW = 3 + HEADER_ROWS
"""Title and two lines of the form's head, then the header of the table."""
FONT = "宋体"
PAPER_A3, PAPER_A4 = 8, 9


@dataclass
class Line:
    """One line of a table. `sum_of`: function and first and last line (numbers within the table) that it adds up."""

    style: str
    texts: tuple[str, str, str]
    units: tuple[int, int]
    cells: list[Cell]
    sum_of: tuple[str, int, int] | None = None
    outline: int = 0


@dataclass(frozen=True)
class Column:
    """One column of figures; `details` of a total is how many columns of channels follow under it."""

    measure: Measure
    channel: str
    label: str
    details: int = 0
    is_detail: bool = False


@dataclass
class Book:
    """The open workbook and its formats, each made once."""

    book: xlsxwriter.Workbook
    formats: dict[str, object] = field(default_factory=dict)

    def format(self, name: str) -> object:
        if name not in self.formats:
            properties: dict[str, object] = {"font_name": FONT, "font_size": 10, "valign": "vcenter"}
            for part in name.split():
                properties.update(FORMATS[part])
            self.formats[name] = self.book.add_format(properties)
        return self.formats[name]


FORMATS: dict[str, dict[str, object]] = {
    "title": {"font_size": 18, "bold": True, "align": "center"},
    "plain": {},
    "right": {"align": "right"},
    "center": {"align": "center"},
    "wrap": {"text_wrap": True, "valign": "top"},
    "section": {"bold": True, "font_size": 11},
    "cell": {"border": 1, "border_color": "#A6A6A6"},
    "head": {
        "border": 1,
        "border_color": "#7F7F7F",
        "bold": True,
        "align": "center",
        "text_wrap": True,
        "bg_color": "#DDE6F0",
    },
    "small": {"bold": False, "font_size": 9},
    "count": {"num_format": "#,##0", "align": "right"},
    "reason": {"align": "center", "font_color": "#7F7F7F"},
    "missing": {"align": "center", "font_color": "#C00000", "bg_color": "#FDECEA"},
    "total": {"bold": True, "bg_color": "#FFF2CC"},
    "part": {"bg_color": "#FFF9E5"},
    "group": {"bold": True, "bg_color": "#EAF1E4"},
    "row": {},
    "shrink": {"shrink": True},
    "note": {"text_wrap": True},
}  # fmt: skip


def write_daily_workbook(engine: Engine, catalog: Catalog, day: date, folder: Path, made_on: date) -> Path:
    """Write the day's consolidated workbook and return its path.

    The file is `公共法律服务日报_{division}_{YYYY-MM-DD}.xlsx`, the division being the lowest one that has all
    reporting units of the day in it. day: calendar day in Asia/Shanghai. made_on: 报出日期. It is written beside its
    place and renamed; the same warehouse content, day and made_on give the same bytes. Figures are counts in the unit
    under each measure's name. Raises ReportError when the day cannot be reported (see read_day_table) or when its
    stored totals do not add up.
    """
    table = read_day_table(engine, catalog, day)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"公共法律服务日报_{table.top.name}_{day.isoformat()}.xlsx"
    beside = folder / f".{target.name}.{os.getpid()}"
    try:
        _write(table, catalog, made_on, beside)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    return target


def _write(table: DayTable, catalog: Catalog, made_on: date, file: Path) -> None:
    options = {"strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(file), options) as workbook:
        workbook.set_properties(
            {
                "title": f"{TITLE} {table.top.name} {table.day.isoformat()}",
                "company": table.top.name + OFFICES[table.top.level][0],
                "created": datetime.combine(made_on, time(), UTC),
            }
        )
        book = Book(workbook)
        for level in table.levels():
            _write_level(book, table, catalog, level, made_on)
        _write_notes(book, table, catalog)


# --- the lines of a level ------------------------------------------------------------------------------------


def _lines(table: DayTable, columns: list[Column], level: Level) -> list[Line]:
    if level is table.top.level:
        return _lines_of_top(table, columns)
    units = table.units_of(level)
    if {unit.code for unit in units} == {
        each.code for each in table.units.values() if each.parent_code == table.top.code
    }:
        return _lines_below_top(table, columns, units)
    return _lines_by_parent(table, columns, units)


def _lines_of_top(table: DayTable, columns: list[Column]) -> list[Line]:
    """The whole area in one line, and under it what each level reported itself: these add up to it."""
    parts = []
    for level in table.levels():
        units = table.units_of(level)
        counts = (sum(unit.is_expected for unit in units), sum(unit.is_reported for unit in units))
        parts.append(_own_line(table, columns, level, f"其中：{LEVEL_NAMES[level]}级自报", counts))
    return [_line_of_top(table, columns, parts), *parts]


def _lines_below_top(table: DayTable, columns: list[Column], units: list[Unit]) -> list[Line]:
    """All divisions directly below the top: with the top's own figures they add up to its total."""
    top = table.top
    members = [_unit_line(table, columns, unit) for unit in units]
    counts = (int(top.is_expected), int(top.is_reported))
    own = _own_line(table, columns, top.level, f"其中：{top.name}本级自报", counts)
    name = f"其中：{LEVEL_NAMES[units[0].level]}合计"
    below = _sum_line("part", name, members, ("SUBTOTAL", 3, 2 + len(members)))
    return [_line_of_top(table, columns, [own, below]), own, below, *members]


def _lines_by_parent(table: DayTable, columns: list[Column], units: list[Unit]) -> list[Line]:
    """Divisions of several parents, each parent's under a subtotal."""
    lines: list[Line] = []
    for parent_code, group in groupby(units, key=lambda unit: unit.parent_code):
        parent = table.units.get(parent_code or "")
        members = [_unit_line(table, columns, unit, outline=1) for unit in group]
        first = len(lines) + 2
        name = f"{parent.name if parent else '无上级'}下级合计"
        lines.append(_sum_line("group", name, members, ("SUBTOTAL", first, first + len(members) - 1)))
        lines += members
    members = [line for line in lines if line.outline]
    whole = _sum_line("total", f"{LEVEL_NAMES[units[0].level]}合计", members, ("SUBTOTAL", 1, len(lines)))
    return [whole, *lines]


def _line_of_top(table: DayTable, columns: list[Column], parts: list[Line]) -> Line:
    top = table.top
    line = _sum_line("total", f"{top.name}合计", parts, ("SUM", 1, len(parts)))
    line.texts = (top.code, line.texts[1], "")
    stored = [table.cell(top, column.measure, column.channel) for column in columns]
    if line.cells != stored or line.units != (top.units_expected, top.units_reported):
        wrong = [
            f"{column.measure.code}/{column.channel} is stored as {cell}, its parts give {added}"
            for column, cell, added in zip(columns, stored, line.cells, strict=True)
            if cell != added
        ]
        raise ReportError(
            f"{table.day}: the totals of {top.code} are not the sum of their parts: "
            f"{'; '.join(wrong[:3]) or 'units expected and reported'}. Run: python -m etl run-day --date {table.day}"
        )
    return line


def _own_line(
    table: DayTable, columns: list[Column], level: Level, name: str, units: tuple[int, int]
) -> Line:
    cells = [table.own_cell(level, column.measure, column.channel) for column in columns]
    return Line("part", ("", name, ""), units, cells)


def _unit_line(table: DayTable, columns: list[Column], unit: Unit, outline: int = 0) -> Line:
    parent = table.units.get(unit.parent_code or "")
    cells = [table.cell(unit, column.measure, column.channel) for column in columns]
    texts = (unit.code, unit.name, parent.name if parent else "")
    return Line("row", texts, (unit.units_expected, unit.units_reported), cells, outline=outline)


def _sum_line(style: str, name: str, parts: list[Line], sum_of: tuple[str, int, int]) -> Line:
    cells = [add_up(cells) for cells in zip(*(part.cells for part in parts), strict=True)]
    units = (sum(part.units[0] for part in parts), sum(part.units[1] for part in parts))
    return Line(style, ("", name, ""), units, cells, sum_of)


# --- a sheet per level ---------------------------------------------------------------------------------------


def _write_level(book: Book, table: DayTable, catalog: Catalog, level: Level, made_on: date) -> None:
    owed = set(list(Level)[list(Level).index(level) :])
    measures = [measure for measure in table.measures if owed.intersection(measure.levels)]
    left_out = [measure.name_zh for measure in table.measures if measure not in measures]
    columns = [column for measure in measures for column in _columns(measure, catalog)]
    lines = _lines(table, columns, level)
    whole = "全" if level is table.top.level and level in (Level.PROVINCE, Level.CITY) else ""
    sheet = book.book.add_worksheet(whole + LEVEL_NAMES[level])
    sheet.hide_gridlines(2)
    sheet.outline_settings(True, False, False, False)
    longest = max((cell for line in lines for cell in line.cells if isinstance(cell, int)), default=0)
    width = max(FIGURE_WIDTH, len(f"{longest:,}") * 1.1 + 1)
    visible = _set_columns(sheet, columns, width)
    _write_head(book, sheet, table, columns, visible, level)
    for number, line in enumerate(lines):
        _write_line(book, sheet, FIRST_ROW + number, line)
    notes = [
        OWN_AND_BELOW,
        LEGEND,
        "各指标默认只显示合计；点击列标上方的“2”或“+”，展开实体、热线、网络三个平台。",
    ]
    if left_out:
        notes.append(f"本级及下级均不报送、未列栏的指标(—)：{'、'.join(left_out)}。")
    last = _write_foot(book, sheet, FIRST_ROW + len(lines), notes, len(columns), visible, width, made_on)
    sheet.freeze_panes(FIRST_ROW, 2)
    sheet.print_area(0, 0, last, FIRST_FIGURE + len(columns) - 1)
    sheet.repeat_rows(FIRST_ROW - HEADER_ROWS, FIRST_ROW - 1)
    _set_print(sheet, PAPER_A3, f"{TITLE}　{table.top.name}　{_spell(table.day)}")


def _columns(measure: Measure, catalog: Catalog) -> list[Column]:
    """The total over channels and the channels; of a measure with one channel, that one."""
    channels = [(code, catalog.channels[code].name_zh) for code in measure.channels]
    if len(channels) == 1:
        return [Column(measure, "all", f"仅{channels[0][1]}")]
    details = [Column(measure, code, name, is_detail=True) for code, name in channels]
    return [Column(measure, "all", "合计", details=len(details)), *details]


def _set_columns(sheet: Any, columns: list[Column], figure_width: float) -> list[int]:
    """Set widths and outline; returns the figure columns that are not folded away."""
    for number, width in enumerate(LABEL_WIDTHS):
        sheet.set_column(number, number, width)
    for number, column in enumerate(columns, start=FIRST_FIGURE):
        if column.is_detail:
            sheet.set_column(number, number, figure_width, None, {"level": 1, "hidden": True})
        else:
            sheet.set_column(number, number, figure_width, None, {"collapsed": column.details > 0})
    shown = [number for number, column in enumerate(columns, start=FIRST_FIGURE) if not column.is_detail]
    return shown or [FIRST_FIGURE]


def _write_head(
    book: Book, sheet: Any, table: DayTable, columns: list[Column], visible: list[int], level: Level
) -> None:
    top = table.top
    last = FIRST_FIGURE + len(columns) - 1
    issuer, filler = OFFICES[top.level]
    sheet.set_row(0, 32)
    sheet.merge_range(0, 0, 0, last, TITLE, book.format("title"))
    sheet.write_string(1, 0, f"填报单位：{top.name}{filler}", book.format("plain"))
    sheet.write_string(1, visible[len(visible) // 2], f"报告期：{_spell(table.day)}", book.format("center"))
    sheet.write_string(1, visible[-1], f"表　　号：{TABLE_NUMBERS[level]}", book.format("right"))
    sheet.write_string(2, 0, "计量单位：见各指标名称下方", book.format("plain"))
    sheet.write_string(2, visible[-1], f"制定机关：{top.name}{issuer}", book.format("right"))
    name_row, unit_row, channel_row = range(FIRST_ROW - HEADER_ROWS, FIRST_ROW)
    longest = max((len(column.measure.name_zh) for column in columns), default=0)
    sheet.set_row(name_row, 13.5 * math.ceil(longest / HEAD_CHARACTERS) + 4)
    sheet.set_row(channel_row, 16)
    for number, label in enumerate(LABELS):
        sheet.merge_range(name_row, number, channel_row, number, label, book.format("head"))
    for number, column in enumerate(columns, start=FIRST_FIGURE):
        sheet.write_string(channel_row, number, column.label, book.format("head small"))
        if column.is_detail:
            continue
        for row, text, style in (
            (name_row, column.measure.name_zh, "head"),
            (unit_row, column.measure.unit, "head small"),
        ):
            if column.details:
                sheet.merge_range(row, number, row, number + column.details, text, book.format(style))
            else:
                sheet.write_string(row, number, text, book.format(style))


def _write_line(book: Book, sheet: Any, row: int, line: Line) -> None:
    sheet.set_row(row, 16, None, {"level": line.outline} if line.outline else {})
    for number, text in enumerate(line.texts):
        sheet.write_string(row, number, text, book.format(f"cell {line.style}{' shrink' if number else ''}"))
    for number, cell in enumerate((*line.units, *line.cells), start=len(line.texts)):
        if isinstance(cell, NoFigure):
            style = "missing" if cell is NoFigure.MISSING else "reason"
            if cell is NoFigure.NOT_LISTED:
                sheet.write_blank(row, number, None, book.format(f"cell {line.style}"))
            else:
                sheet.write_string(row, number, cell.value, book.format(f"cell {line.style} {style}"))
        elif line.sum_of:
            function, first, last = line.sum_of
            letter = xl_col_to_name(number)
            area = f"{letter}{FIRST_ROW + first + 1}:{letter}{FIRST_ROW + last + 1}"
            formula = f"=SUBTOTAL(9,{area})" if function == "SUBTOTAL" else f"=SUM({area})"
            sheet.write_formula(row, number, formula, book.format(f"cell {line.style} count"), cell)
        else:
            sheet.write_number(row, number, cell, book.format(f"cell {line.style} count"))


def _write_foot(
    book: Book,
    sheet: Any,
    row: int,
    notes: list[str],
    figures: int,
    visible: list[int],
    figure_width: float,
    made_on: date,
) -> int:
    last = FIRST_FIGURE + figures - 1
    room = sum(LABEL_WIDTHS) + figure_width * len(visible)
    for number, note in enumerate(notes, start=1):
        text = f"{number}. {note}"
        sheet.set_row(row, 14 * _lines_needed(text, room) + 2)
        sheet.merge_range(row, 0, row, last, text, book.format("wrap"))
        row += 1
    sheet.set_row(row, 24)
    sheet.write_string(row, 0, "单位负责人：", book.format("plain"))
    sheet.write_string(row, visible[len(visible) // 2], "填表人：", book.format("center"))
    sheet.write_string(row, visible[-1], f"报出日期：{_spell(made_on)}", book.format("right"))
    return row


def _set_print(sheet: Any, paper: int, head: str) -> None:
    sheet.set_landscape()
    sheet.set_paper(paper)
    sheet.fit_to_pages(1, 0)
    sheet.center_horizontally()
    sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    sheet.set_header(f'&R&"{FONT}"&8{head.replace("&", "&&")}')
    sheet.set_footer(f'&L&"{FONT}"&8&A&C&"{FONT}"&9第 &P 页　共 &N 页')


def _spell(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


# --- the notes -----------------------------------------------------------------------------------------------


def _write_notes(book: Book, table: DayTable, catalog: Catalog) -> None:
    sheet = book.book.add_worksheet("说明")
    sheet.hide_gridlines(2)
    for number, width in enumerate(NOTE_WIDTHS):
        sheet.set_column(number, number, width)
    sheet.set_row(0, 30)
    sheet.merge_range(0, 0, 0, len(NOTE_WIDTHS) - 1, f"{TITLE}　说明", book.format("title"))
    row = 1
    for title, heads, rows in _blocks(table, catalog):
        sheet.set_row(row, 22)
        sheet.write_string(row, 0, title, book.format("section"))
        row += 1
        for style, values in [("head", heads), *(("cell", each) for each in rows)]:
            _write_note(book, sheet, row, style, values)
            row += 1
        row += 1
    sheet.print_area(0, 0, row - 2, len(NOTE_WIDTHS) - 1)
    _set_print(sheet, PAPER_A4, f"{TITLE}　{table.top.name}　{_spell(table.day)}")


def _write_note(book: Book, sheet: Any, row: int, style: str, values: tuple[str | int, ...]) -> None:
    """One line; its last value takes all columns that are left."""
    end = len(NOTE_WIDTHS) - 1
    rooms = [*NOTE_WIDTHS[: len(values) - 1], sum(NOTE_WIDTHS[len(values) - 1 :])]
    for number, (value, room) in enumerate(zip(values, rooms, strict=True)):
        if isinstance(value, int):
            sheet.write_number(row, number, value, book.format(f"{style} count"))
        elif room > NOTE_WIDTHS[number]:
            sheet.merge_range(row, number, row, end, "", book.format(f"{style} note"))
            sheet.write_string(row, number, value, book.format(f"{style} note"))
        else:
            sheet.write_string(row, number, value, book.format(f"{style} note"))
    lines = max(_lines_needed(str(value), room) for value, room in zip(values, rooms, strict=True))
    sheet.set_row(row, 14 * lines + 3)


def _lines_needed(text: str, width: float) -> int:
    """Lines that a text takes in a column; a Chinese character is as wide as two of the column's."""
    return math.ceil(1.15 * sum(1 if character.isascii() else 2 for character in text) / width) or 1


def _blocks(
    table: DayTable, catalog: Catalog
) -> Iterator[tuple[str, tuple[str, ...], list[tuple[str | int, ...]]]]:
    """Title, column heads and lines of every table of the notes."""
    top = table.top
    missing = sum(unit.is_expected and not unit.is_reported for unit in table.units.values())
    out = len(table.batches_out)
    held = sum(row.held_count for row in table.held_rows)
    state = (
        f"缺报 {missing:,} 个单位，未入库 {out:,} 批，隔离待处理 {held:,} 行"
        if missing or out or held
        else "完整"
    )
    yield (
        "一、本表范围与数据状况",
        ("项目", "内容"),
        [
            ("报告期", _spell(table.day)),
            ("统计范围", f"{top.name}({top.code})及其下级中有平台报送的单位"),
            ("数据状况", state),
            ("数字口径", OWN_AND_BELOW),
            ("格中标记", LEGEND),
        ],
    )
    yield (
        "二、报送情况(按本级单位计，不含下级)",
        ("级别", "应报", "应报已报", "缺报", "应报外已报", "报送率"),
        [_reporting_line(table, level) for level in table.levels()],
    )
    yield (
        "三、各平台批次与数据行",
        ("平台", "批次", "未入库批次", "接收行", "入库行", "隔离行", "重复行", "被新版替代行"),
        [tuple(_plain(value) for value in row) for row in table.platforms] or [NOTHING],
    )
    yield (
        "四、未入库的批次",
        ("平台", "文件或来源", "状态", "原因"),
        [
            (row.platform, row.source_name or "全部", STATES[row.state], row.message)
            for row in table.batches_out
        ]
        or [NOTHING],
    )
    yield (
        "五、隔离待处理的数据",
        ("原因代码", "行数", "原因举例"),
        [(row.reason_code, row.held_count, row.example) for row in table.held_rows] or [NOTHING],
    )
    yield (
        "六、指标",
        ("代码", "名称", "计量单位", "报送级别", "平台", "备注"),
        [
            (
                measure.code,
                measure.name_zh,
                measure.unit,
                _spell_levels(measure),
                "、".join(catalog.channels[code].name_zh for code in measure.channels),
                measure.note if measure in table.measures else f"当日无数字，未列栏。{measure.note}",
            )
            for measure in catalog.daily_measures()
        ],
    )


def _reporting_line(table: DayTable, level: Level) -> tuple[str | int, ...]:
    units = table.units_of(level)
    expected = sum(unit.is_expected for unit in units)
    both = sum(unit.is_expected and unit.is_reported for unit in units)
    beyond = sum(unit.is_reported and not unit.is_expected for unit in units)
    rate = f"{both / expected:.1%}" if expected else NoFigure.NOT_DUE.value
    return (LEVEL_NAMES[level], expected, both, expected - both, beyond, rate)


def _spell_levels(measure: Measure) -> str:
    return (
        "各级"
        if set(measure.levels) == set(Level)
        else "、".join(LEVEL_NAMES[level] for level in Level if level in measure.levels)
    )


def _plain(value: object) -> str | int:
    return value if isinstance(value, str) else int(str(value))
