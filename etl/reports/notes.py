"""Notes: the sheets of a workbook that are read, not summed: definitions, data quality, what a version changed."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import xlsxwriter

from etl.catalog import Level
from etl.reports.changes import Changes
from etl.reports.definitions import LEVEL_NAMES
from etl.reports.formats import FONT, Formats, lines_needed
from etl.reports.table import Cell, NoFigure, Table, kind_in
from etl.rounding import percent, share, spelled

NOTES, CHANGES = "指标解释与数据质量", "变更说明"
WIDTHS = (24, 16, 12, 12, 12, 12, 60)
CHANGE_WIDTHS = (14, 22, 40, 16, 16, 56)
STATES = {"failed": "接收失败", "rejected": "拒收"}
DATASETS = {"daily": "日报", "stocks": "月末数"}
NOTHING = ("无",)
MOST_DECIMALS = 12
A4 = 9
Line = tuple[str | int, ...]


def write_notes(book: xlsxwriter.Workbook, formats: Formats, table: Table, legend: str) -> None:
    """The sheet of definitions and data quality."""
    _write_blocks(book, formats, table, NOTES, WIDTHS, _blocks(table, legend))


def write_changes(book: xlsxwriter.Workbook, formats: Formats, table: Table, changes: Changes) -> None:
    """The sheet of cells that are other than in the version before."""
    columns, rows = {each.key: each for each in table.columns}, {each.key: each for each in table.rows}
    lines: list[Line] = [
        (
            each.row.partition("/")[0],
            each.row_name,
            " ".join(each.heads) or each.column,
            *_spelled(
                each.old,
                each.new,
                kind_in(columns[each.column], rows[each.row])
                if each.column in columns and each.row in rows
                else "",
            ),
            each.cause,
        )
        for each in changes.cells
    ]
    head = (
        f"与第{changes.version}版（数据截至{changes.known_at:%Y年%m月%d日 %H:%M}）相比，"
        f"改动 {len(changes.cells):,} 个数据"
    )
    blocks = [(head, ("代码", "名称", "栏目", "原数", "现数", "原因"), lines or [NOTHING])]
    _write_blocks(book, formats, table, CHANGES, CHANGE_WIDTHS, iter(blocks))


def completeness(table: Table) -> str:
    """How complete the figures of a table are, in words."""
    words = []
    for each in table.quality.reported:
        name = "月末数" if each.dataset == "stocks" else ""
        if each.expected:
            rate = percent(share(each.received, each.expected))
            words.append(f"{name}报送率 {rate}（应报 {each.expected:,}，实报 {each.received:,}）")
    return "　".join(words)


def quality_counts(table: Table) -> str:
    """What is not in a table's figures or is asked about, in words."""
    quality = table.quality
    return (
        f"未入库 {len(quality.batches_out):,} 批，隔离待处理 {sum(each.count for each in quality.held):,} 行，"
        f"待核实 {sum(each.count for each in quality.flagged):,} 条"
    )


def _spelled(old: Cell, new: Cell, kind: str) -> tuple[str, str]:
    """Two cells as the table shows them, with as many more decimals as it takes to tell them apart."""
    for more in range(MOST_DECIMALS):
        words = _spell(old, kind, more), _spell(new, kind, more)
        if words[0] != words[1]:
            break
    return words


def _spell(cell: Cell, kind: str, more: int) -> str:
    match cell:
        case None:
            return "（无此行或栏）"
        case NoFigure():
            return cell.value or "（空白）"
        case Decimal() if kind in ("ratio", "change"):
            return percent(cell, 1 + more)
        case Decimal() if kind == "points":
            return f"{spelled(cell * 100, 1 + more)}个百分点"
        case Decimal():
            return spelled(cell, 2 + more)
        case int():
            return f"{cell:,}"
        case _:
            return str(cell)


def _blocks(table: Table, legend: str) -> Iterator[tuple[str, Line, list[Line]]]:
    """Title, column heads and lines of every table of the notes."""
    quality = table.quality
    yield (
        "一、范围与状况",
        ("项目", "内容"),
        [
            ("统计范围", f"{table.division_name}({table.division_code})及其下级中有平台报送的单位"),
            ("报告期", f"{table.period.starts_on} 至 {table.period.ends_on}"),
            ("数据截至", f"{table.known_at:%Y-%m-%d %H:%M:%S}"),
            (
                "数据状态",
                "初步数：报送率低于规定比例或报告期未满，不排名、不比较"
                if table.is_provisional
                else "正式数",
            ),
            ("数据质量", quality_counts(table)),
            ("格中标记", legend),
        ],
    )
    yield (
        "二、报送情况",
        ("数据集", "应报", "实报", "按时", "迟报", "退回", "报送率"),
        [
            (
                DATASETS[each.dataset], each.expected, each.received, each.on_time, each.late, each.rejected,
                percent(share(each.received, each.expected)) if each.expected else "/",
            )
            for each in quality.reported
        ] or [NOTHING],
    )  # fmt: skip
    yield (
        "三、各级报送情况(按本级单位计，不含下级)",
        ("级别", "单位数", "应报", "实报", "报送率"),
        [
            (
                LEVEL_NAMES[Level(each.level)], each.units, each.expected, each.received,
                percent(share(each.received, each.expected)) if each.expected else "/",
            )
            for each in quality.levels
        ] or [NOTHING],
    )  # fmt: skip
    yield (
        "四、未入库的批次",
        ("平台", "日期", "状态", "文件或来源", "原因"),
        [
            (
                each.platform,
                each.stat_date.isoformat(),
                STATES[each.state],
                each.source_name or "全部",
                each.message,
            )
            for each in quality.batches_out
        ]
        or [NOTHING],
    )
    yield (
        "五、隔离待处理的数据",
        ("原因代码", "行数", "举例"),
        [(each.reason_code, each.count, each.example) for each in quality.held] or [NOTHING],
    )
    yield (
        "六、待核实的数据",
        ("核查规则", "条数", "举例"),
        [(each.check_code, each.count, each.example) for each in quality.flagged] or [NOTHING],
    )
    yield (
        "七、指标解释",
        ("名称", "代码", "计量单位", "解释"),
        [(each.name, each.code, each.unit, each.words) for each in table.definitions] or [NOTHING],
    )


def _write_blocks(
    book: xlsxwriter.Workbook,
    formats: Formats,
    table: Table,
    name: str,
    widths: tuple[float, ...],
    blocks: Iterator[tuple[str, Line, list[Line]]],
) -> None:
    sheet = book.add_worksheet(name)
    sheet.hide_gridlines(2)
    for number, width in enumerate(widths):
        sheet.set_column(number, number, width)
    sheet.set_row(0, 30)
    sheet.merge_range(0, 0, 0, len(widths) - 1, f"{table.report.title}　{name}", formats["title"])
    row = 1
    for title, heads, lines in blocks:
        sheet.set_row(row, 24)
        sheet.write_string(row, 0, title, formats["section"])
        row += 1
        for style, line in [("head", heads), *(("cell", each) for each in lines)]:
            _write_line(sheet, formats, row, style, line, widths)
            row += 1
    sheet.print_area(0, 0, row - 1, len(widths) - 1)
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
    sheet.set_footer(f'&L&"{FONT}"&8&A&C&"{FONT}"&9第 &P 页　共 &N 页')


def _write_line(
    sheet: Any, formats: Formats, row: int, style: str, line: Line, widths: tuple[float, ...]
) -> None:
    """One line; its last value takes all columns that are left."""
    end = len(widths) - 1
    rooms = [*widths[: len(line) - 1], sum(widths[len(line) - 1 :])]
    sheet.set_row(
        row, 14 * max(lines_needed(str(value), room) for value, room in zip(line, rooms, strict=True)) + 4
    )
    for at, value in enumerate(line):
        if isinstance(value, int):
            sheet.write_number(row, at, value, formats[f"{style} count"])
            continue
        shown = formats[f"{style} note"]
        sheet.write_string(row, at, value, shown)
        if at == len(line) - 1 and at < end:
            for rest in range(at + 1, end + 1):
                sheet.write_blank(row, rest, None, shown)
            sheet.merge.append([row, at, row, end])
