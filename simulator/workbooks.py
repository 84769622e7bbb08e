"""Village workbooks as contract.md, C: what a township's clerk makes in Excel or WPS."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Sequence
from datetime import datetime, timedelta

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from simulator.deliveries import SHANGHAI, Batch, Figure, Submission
from simulator.handwriting import full_width
from simulator.world import Pair, World

PACKED_LIMIT = 5 * 1024 * 1024
UNPACKED_LIMIT = 50 * 1024 * 1024
ROW_LIMIT = 2_000
FIRST_ROW = 4
"""Row 5, counted from 0."""
USUAL = ("consultation", "publicity_event", "mediation_accepted", "counsel_duty_shift", "document_drafted")
"""Columns that stand in nearly every workbook, filled or not."""
PEOPLE = ("王建国", "李秀英", "张伟", "刘洋", "陈静", "孙丽", "赵磊", "周敏")


def workbook_bytes(world: World, batch: Batch) -> bytes:
    """The file; the same batch always gives the same bytes."""
    rng = random.Random(f"{world.seed}|{batch.name}|hand")
    if batch.fault == "unreadable":
        return b"PK\x03\x04" + rng.randbytes(4_000)
    packed = io.BytesIO()
    book = xlsxwriter.Workbook(packed, {"in_memory": True})
    book.set_properties({"created": datetime(2020, 1, 1, tzinfo=SHANGHAI)})
    formats = _Formats(
        book.add_format({"bold": True, "align": "center", "font_size": 14}),
        book.add_format({"align": "center", "valign": "vcenter", "border": 1, "text_wrap": True}),
        book.add_format({"border": 1}),
        book.add_format({"border": 1, "num_format": "0"}),
    )
    daily = [(s, [f for f in s.figures if not _is_survey(world, f.measure)]) for s in batch.submissions]
    _write_sheet(
        world, batch, book.add_worksheet("日报表"), formats, rng, daily, _daily_columns(world, daily, rng)
    )
    survey = [(s, [f for f in s.figures if _is_survey(world, f.measure)]) for s in batch.submissions]
    survey = [(submission, figures) for submission, figures in survey if figures]
    if survey:
        columns = _survey_columns(world, survey)
        _write_sheet(world, batch, book.add_worksheet("满意度"), formats, rng, survey, columns)
    book.close()
    if batch.fault in ("oversized", "unpacks_oversized"):
        with zipfile.ZipFile(packed, "a") as archive:
            picture = zipfile.ZipInfo("xl/media/image1.png", (1980, 1, 1, 0, 0, 0))
            if batch.fault == "oversized":
                archive.writestr(picture, rng.randbytes(PACKED_LIMIT + 1))
            else:
                archive.writestr(picture, bytes(UNPACKED_LIMIT + 1), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


class _Formats:
    def __init__(self, title: Format, head: Format, cell: Format, code: Format) -> None:
        self.title = title
        self.head = head
        self.cell = cell
        self.code = code


def _daily_columns(
    world: World, rows: Sequence[tuple[Submission, list[Figure]]], rng: random.Random
) -> list[tuple[str, list[str]]]:
    """Channels in some order, each with its measures in some order: what is filled, and some that are not."""
    filled = {(figure.measure, figure.channel) for _, figures in rows for figure in figures}
    offered: list[Pair] = [pair for pair in world.pairs("village") if not _is_survey(world, pair[0])]
    offered += sorted(filled - set(offered))
    chosen: dict[str, list[str]] = {}
    for measure, channel in offered:
        usual = channel == "physical" and (measure in USUAL or rng.random() < 0.5)
        if (measure, channel) in filled or usual:
            chosen.setdefault(channel, []).append(measure)
    blocks = list(chosen.items())
    rng.shuffle(blocks)
    for _, measures in blocks:
        if rng.random() < 0.4:
            rng.shuffle(measures)
    return blocks


def _survey_columns(
    world: World, rows: Sequence[tuple[Submission, list[Figure]]]
) -> list[tuple[str, list[str]]]:
    filled = {(figure.measure, figure.channel) for _, figures in rows for figure in figures}
    channels = sorted({channel for _, channel in filled})
    measures = [m.code for m in world.catalog.daily_measures() if m.kind == "survey"]
    return [(channel, list(measures)) for channel in channels]


def _write_sheet(
    world: World,
    batch: Batch,
    sheet: Worksheet,
    formats: _Formats,
    rng: random.Random,
    rows: Sequence[tuple[Submission, list[Figure]]],
    blocks: list[tuple[str, list[str]]],
) -> None:
    columns = [(measure, channel) for channel, measures in blocks for measure in measures]
    last = max(1 + len(columns), 3)
    _write_head(world, batch, sheet, formats, rng, rows, blocks, last)
    codes_as_text = rng.random() < 0.5
    line = FIRST_ROW
    copies = ROW_LIMIT // max(1, len(rows)) + 1 if batch.fault == "too_many_rows" else 1
    for submission, figures in [*rows] * copies:
        _write_row(world, sheet, formats, rng, line, submission, figures, columns, codes_as_text)
        line += 1
    if batch.sums:
        _write_sums(batch, sheet, formats, rng, line, rows, columns)
        line += 1
    for column, text in (
        (0, f"单位负责人:{rng.choice(PEOPLE)}"),
        (2, f"填表人:{rng.choice(PEOPLE)}{batch.foot}"),
        (3, f"报出日期:{batch.received_at:%Y-%m-%d}"),
    ):
        sheet.write_string(line, column, text)
    for trailing in range(line + 1, line + 1 + rng.choice((0, 0, 3, 12))):
        sheet.write_blank(trailing, 0, None, formats.cell)
        sheet.write_blank(trailing, 1, None, formats.cell)


def _write_head(
    world: World,
    batch: Batch,
    sheet: Worksheet,
    formats: _Formats,
    rng: random.Random,
    rows: Sequence[tuple[Submission, list[Figure]]],
    blocks: list[tuple[str, list[str]]],
    last: int,
) -> None:
    catalog = world.catalog
    day = rows[0][0].stat_date if rows else batch.stat_date.isoformat()
    filled = batch.received_at - timedelta(minutes=rng.randrange(5, 120))
    sheet.merge_range(0, 0, 0, last, "村(社区)公共法律服务日报表", formats.title)
    half = 2 + (last - 2) // 2
    _merge(sheet, 1, 0, 1, 1, f"填报单位:{world.name.get(batch.unit, batch.unit)}", formats.head)
    _merge(sheet, 1, 2, 1, half, f"统计日期:{day}", formats.head)
    _merge(sheet, 1, half + 1, 1, last, f"填报时间:{filled:%Y-%m-%d %H:%M}", formats.head)
    wrong = batch.fault == "wrong_header"
    _merge(sheet, 2, 0, 3, 0, "序号" if wrong else "单位代码", formats.head)
    _merge(sheet, 2, 1, 3, 1, "村居" if wrong else "单位名称", formats.head)
    column = 2
    for channel, measures in blocks:
        known = catalog.channels.get(channel)
        shown = "" if wrong else channel if known is None else known.name_zh
        _merge(sheet, 2, column, 2, column + len(measures) - 1, shown, formats.head)
        for measure in measures:
            declared = catalog.measures.get(measure)
            sheet.write_string(3, column, measure if declared is None else declared.name_zh, formats.head)
            column += 1


def _write_row(
    world: World,
    sheet: Worksheet,
    formats: _Formats,
    rng: random.Random,
    line: int,
    submission: Submission,
    figures: list[Figure],
    columns: list[Pair],
    codes_as_text: bool,
) -> None:
    if codes_as_text:
        sheet.write_string(line, 0, submission.unit, formats.cell)
    else:
        sheet.write_number(line, 0, int(submission.unit), formats.code)
    sheet.write_string(line, 1, world.name.get(submission.unit, "新增村") + submission.note, formats.cell)
    values = {(figure.measure, figure.channel): figure.value for figure in figures}
    for column, pair in enumerate(columns, start=2):
        value = values.get(pair)
        if value is not None:
            _write_value(sheet, formats.cell, rng, line, column, value)
        elif figures and rng.random() < 0.1:
            sheet.write_string(line, column, rng.choice("-/"), formats.cell)
        elif rng.random() < 0.1:
            sheet.write_blank(line, column, None, formats.cell)
    if rng.random() < 0.02:
        sheet.set_row(line, None, None, {"hidden": True})


def _write_value(
    sheet: Worksheet, cell: Format, rng: random.Random, line: int, column: int, value: float | str
) -> None:
    chance = rng.random()
    if isinstance(value, str):
        sheet.write_string(line, column, value, cell)
    elif not isinstance(value, int) or value < 0 or chance < 0.8:
        sheet.write_number(line, column, value, cell)
    elif chance < 0.88:
        sheet.write_string(line, column, str(value), cell)
    elif chance < 0.94:
        sheet.write_string(line, column, full_width(value), cell)
    else:
        part = rng.randint(0, value)
        sheet.write_formula(line, column, f"={part}+{value - part}", cell, value)


def _write_sums(
    batch: Batch,
    sheet: Worksheet,
    formats: _Formats,
    rng: random.Random,
    line: int,
    rows: Sequence[tuple[Submission, list[Figure]]],
    columns: list[Pair],
) -> None:
    sums: dict[Pair, int] = {}
    for _, figures in rows:
        for measure, channel, value in figures:
            if isinstance(value, int):
                sums[measure, channel] = sums.get((measure, channel), 0) + value
    sheet.write_string(line, 1, "合计", formats.cell)
    as_formula = rng.random() < 0.5
    off = batch.sums_off
    for column, pair in enumerate(columns, start=2):
        if pair in batch.sums_blank or pair not in sums:
            continue
        if as_formula and not off:
            letter = xlsxwriter.utility.xl_col_to_name(column)
            formula = f"=SUM({letter}{FIRST_ROW + 1}:{letter}{line})"
            sheet.write_formula(line, column, formula, formats.cell, sums[pair])
        else:
            sheet.write_number(line, column, sums[pair] + off, formats.cell)
        off = 0


def _merge(sheet: Worksheet, top: int, left: int, bottom: int, right: int, text: str, form: Format) -> None:
    if (top, left) == (bottom, right):
        sheet.write_string(top, left, text, form)
    else:
        sheet.merge_range(top, left, bottom, right, text, form)


def _is_survey(world: World, measure: str) -> bool:
    known = world.catalog.measures.get(measure)
    return known is not None and known.kind == "survey"
