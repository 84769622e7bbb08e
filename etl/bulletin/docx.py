"""The editable text (.docx): real headings, tables and paragraphs, charts as pictures, for offices that edit before
they send."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import docx
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from etl.bulletin.document import Document, Grid, Picture
from etl.bulletin.figure import Paragraph
from etl.bulletin.page import COLUMNS, columns_of, complete, shown

BODY, HEAD, TITLE, LATIN = "仿宋", "黑体", "宋体", "Times New Roman"
RED, GREY = RGBColor(0xB5, 0x12, 0x1B), RGBColor(0x76, 0x76, 0x76)
TEXT_WIDTH = 160
"""Millimetres between the margins."""
ALIGN = {"l": WD_ALIGN_PARAGRAPH.LEFT, "c": WD_ALIGN_PARAGRAPH.CENTER, "r": WD_ALIGN_PARAGRAPH.RIGHT}
SOURCE_HEADS = ("序号", "视图", "单位", "报告期", "指标（代码）", "数值", "报送")
SOURCE_WIDE = (4, 17, 16, 7, 22, 25, 9)


def write_docx(document: Document, file: Path, made_on: date) -> None:
    """Write the text; the same document gives the same bytes."""
    body: Any = docx.Document()
    _set_up(body, document, made_on)
    _head(body, document)
    for paragraph in document.lead:
        _write_sentences(body, paragraph)
    for part in document.parts:
        body.add_heading(part.heading, level=1)
        for block in part.blocks:
            if isinstance(block, Grid):
                _write_grid(body, block)
            elif isinstance(block, Picture):
                _write_picture(body, block)
            else:
                _write_sentences(body, block)
    for text in (document.office, document.dated):
        line = body.add_paragraph(text)
        line.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        line.paragraph_format.right_indent = Mm(8)
    for number, note in enumerate((*document.notes, f"数据截至{document.known}（北京时间）。"), start=1):
        body.add_paragraph(f"{'说明：' if number == 1 else ''}{number}. {note}", style="来源")
    body.add_page_break()
    body.add_heading("附录　数据来源", level=1)
    _write_grid(body, _sources(document))
    packed = io.BytesIO()
    body.save(packed)
    file.write_bytes(_with_fixed_times(packed.getvalue()))


def _set_up(body: Any, document: Document, made_on: date) -> None:
    section = body.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin = Mm(22), Mm(19)
    section.left_margin, section.right_margin = Mm(26), Mm(24)
    _font(body.styles["Normal"], BODY, 11)
    body.styles["Normal"].paragraph_format.space_after = Pt(2)
    body.styles["Normal"].paragraph_format.line_spacing = 1.12
    for name, face, size in (("Title", TITLE, 17), ("Heading 1", HEAD, 12.5), ("Caption", HEAD, 9.5)):
        _font(body.styles[name], face, size, bold=name != "Heading 1")
        body.styles[name].paragraph_format.keep_with_next = True
        body.styles[name].paragraph_format.space_before = Pt(6)
        body.styles[name].paragraph_format.space_after = Pt(3)
        for border in body.styles[name].element.xpath(".//w:pBdr"):
            border.getparent().remove(border)
    source = body.styles.add_style("来源", 1)
    _font(source, TITLE, 7.5, colour=GREY)
    source.paragraph_format.space_after = Pt(2)
    source.paragraph_format.line_spacing = 1
    mark = body.styles.add_style("数据序号", 2)
    _font(mark, TITLE, 7, colour=GREY)
    cell = body.styles.add_style("表格文字", 1)
    _font(cell, TITLE, 9)
    cell.paragraph_format.space_after = Pt(0)
    cell.paragraph_format.line_spacing = 1
    stamp = datetime(made_on.year, made_on.month, made_on.day)  # noqa: DTZ001 - a property of the file without zone
    known = body.core_properties
    known.title, known.author, known.language = document.title, document.office, "zh-CN"
    known.created = known.modified = stamp
    known.last_modified_by, known.comments, known.revision = document.office, "", 1
    _add_page_number(section)


def _font(style: Any, face: str, size: float, *, bold: bool = False, colour: RGBColor | None = None) -> None:
    style.font.name, style.font.size, style.font.bold, style.font.italic = LATIN, Pt(size), bold, False
    style.font.color.rgb = colour or RGBColor(0, 0, 0)
    properties = style.element.get_or_add_rPr()
    fonts = properties.find(qn("w:rFonts"))
    for name in list(fonts.attrib):
        if "Theme" in name:
            del fonts.attrib[name]
    fonts.set(qn("w:eastAsia"), face)
    language = properties.find(qn("w:lang"))
    if language is None:
        language = OxmlElement("w:lang")
        properties.append(language)
    language.set(qn("w:val"), "en-US")
    language.set(qn("w:eastAsia"), "zh-CN")


def _add_page_number(section: Any) -> None:
    line = section.footer.paragraphs[0]
    line.alignment = WD_ALIGN_PARAGRAPH.CENTER
    line.add_run("— ")
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    line._p.append(field)
    line.add_run(" —")


def _head(body: Any, document: Document) -> None:
    kind = body.add_paragraph()
    kind.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = kind.add_run("公共法律服务工作通报")
    run.font.size, run.font.bold, run.font.color.rgb = Pt(26), True, RED
    run._r.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), TITLE)
    issue = body.add_paragraph(document.issue)
    issue.alignment = WD_ALIGN_PARAGRAPH.CENTER
    issuer = body.add_paragraph(f"{document.office}\t{document.dated}")
    issuer.paragraph_format.tab_stops.add_tab_stop(Mm(TEXT_WIDTH), 2)
    _border(issuer._p.get_or_add_pPr(), "w:pBdr", {"bottom": (12, "B5121B")})
    title = body.add_paragraph(document.title, style="Title")
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    title.paragraph_format.space_before = Pt(14)
    body.add_paragraph(document.addressee)


def _border(properties: Any, name: str, edges: dict[str, tuple[int, str]]) -> None:
    borders = OxmlElement(name)
    for edge, (size, colour) in edges.items():
        line = OxmlElement(f"w:{edge}")
        for key, value in (("val", "single"), ("sz", size), ("space", 1), ("color", colour)):
            line.set(qn(f"w:{key}"), str(value))
        borders.append(line)
    properties.append(borders)


class _Text(HTMLParser):
    """The words of a sentence without its elements."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words = ""

    def handle_data(self, data: str) -> None:
        self.words += data


def _write_sentences(body: Any, paragraph: Paragraph) -> None:
    line = body.add_paragraph()
    line.paragraph_format.first_line_indent = Pt(22)
    line.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
    for sentence in paragraph:
        text = _Text()
        text.feed(sentence.html)
        text.close()
        line.add_run(text.words)
        if sentence.numbers:
            line.add_run(f"〔{sentence.mark}〕", style="数据序号")


def _write_picture(body: Any, picture: Picture) -> None:
    _caption(body, picture.title)
    line = body.add_paragraph()
    line.alignment = WD_ALIGN_PARAGRAPH.CENTER
    line.paragraph_format.keep_with_next = True
    drawn = line.add_run().add_picture(io.BytesIO(picture.png), width=Mm(TEXT_WIDTH * picture.width))
    properties = drawn._inline.docPr
    properties.set("descr", picture.alt)
    properties.set("title", picture.title)
    body.add_paragraph(picture.source, style="来源")


def _caption(body: Any, text: str) -> None:
    body.add_paragraph(text, style="Caption").alignment = WD_ALIGN_PARAGRAPH.CENTER


def _write_grid(body: Any, grid: Grid) -> None:
    if grid.title:
        _caption(body, grid.title)
    table = body.add_table(rows=0, cols=len(grid.heads))
    table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    _border(
        table._tbl.tblPr,
        "w:tblBorders",
        {"top": (10, "222222"), "bottom": (10, "222222"), "insideH": (2, "C8C8C8")},
    )
    _narrow_cells(table._tbl.tblPr)
    size = Pt(6 if not grid.title else 7.5 if grid.is_small else 8.5)
    widths = [Mm(TEXT_WIDTH * wide / sum(grid.wide)) for wide in grid.wide]
    for number, row in enumerate((grid.heads, *grid.rows)):
        made = table.add_row()
        properties = made._tr.get_or_add_trPr()
        properties.append(OxmlElement("w:cantSplit"))
        if number == 0:
            properties.append(OxmlElement("w:tblHeader"))
        for place, (cell, text) in enumerate(zip(made.cells, row, strict=True)):
            cell.width = widths[place]
            line = cell.paragraphs[0]
            line.style = "表格文字"
            line.alignment = ALIGN["c" if number == 0 else grid.aligns[place]]
            run = line.add_run(text)
            run.font.size = size
            run.font.bold = number == 0 or number - 1 in grid.heavy
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
    if grid.source:
        body.add_paragraph(grid.source, style="来源")


def _narrow_cells(properties: Any) -> None:
    """Cells whose text comes near their edges."""
    margins = OxmlElement("w:tblCellMar")
    for edge in ("left", "right"):
        width = OxmlElement(f"w:{edge}")
        width.set(qn("w:w"), "30")
        width.set(qn("w:type"), "dxa")
        margins.append(width)
    properties.append(margins)


def _sources(document: Document) -> Grid:
    rows = tuple(
        (
            str(number),
            figure.view,
            f"{figure.division_name}{figure.division_code}",
            figure.period,
            f"{figure.name} {figure.code}",
            "；".join(f"{COLUMNS[column]} {shown(figure, column)}" for column, _ in columns_of(source)),
            complete(figure),
        )
        for number, (source, figure) in enumerate(((each, each.figure) for each in document.sources), start=1)
    )
    return Grid("", SOURCE_HEADS, rows, "cllcllr", SOURCE_WIDE, "", is_small=True)


def _with_fixed_times(package: bytes) -> bytes:
    """The same package with the times of its files left out."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as given, zipfile.ZipFile(result, "w") as made:
        for name in given.namelist():
            made.writestr(zipfile.ZipInfo(name), given.read(name), zipfile.ZIP_DEFLATED)
    return result.getvalue()
