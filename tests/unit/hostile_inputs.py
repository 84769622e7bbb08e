"""Hostile inputs at their worst, each as family and bytes.

Run as a program with the name of one and the file that holds its bytes: reads it in this process, and prints what came
of it and the most memory that the process ever held.
"""

from __future__ import annotations

import gzip
import io
import json
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

NAMES = {
    "rest": "submissions",
    "csv": "township_371302_20260302_r1.csv.gz",
    "workbook": "village_371302001_20260302.xlsx",
    "database": "hotline_daily",
}
HEADER = "单位代码,统计日期,渠道,指标,数值,填报时间,版次"
MEGABYTE = 1_000_000

_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)
_BOOK = (
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="日报表" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
_ROOT = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Target="xl/workbook.xml" Type="http://schemas.openxmlformats.org/'
    'officeDocument/2006/relationships/officeDocument"/></Relationships>'
)
_RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Target="worksheets/sheet1.xml" Type="http://schemas.openxmlformats.org/'
    'officeDocument/2006/relationships/worksheet"/>'
    '<Relationship Id="rId2" Target="sharedStrings.xml" Type="http://schemas.openxmlformats.org/'
    'officeDocument/2006/relationships/sharedStrings"/></Relationships>'
)
HEAD_ROWS = (
    '<row r="3"><c r="A3" t="inlineStr"><is><t>单位代码</t></is></c>'
    '<c r="B3" t="inlineStr"><is><t>单位名称</t></is></c><c r="C3" t="inlineStr"><is><t>实体</t></is></c></row>'
    '<row r="4"><c r="C4" t="inlineStr"><is><t>解答法律咨询</t></is></c></row>'
)


def workbook(rows: str, shared: str = "", more: dict[str, bytes] | None = None, tail: str = "") -> bytes:
    """A workbook whose sheet holds these rows of XML."""
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    parts = {
        "[Content_Types].xml": _TYPES.encode(),
        "_rels/.rels": _ROOT.encode(),
        "xl/workbook.xml": _BOOK.encode(),
        "xl/_rels/workbook.xml.rels": _RELATIONS.encode(),
        "xl/worksheets/sheet1.xml": f"<worksheet {space}><sheetData>{rows}</sheetData>{tail}</worksheet>".encode(),
        "xl/sharedStrings.xml": f"<sst {space}>{shared}</sst>".encode(),
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in (parts | (more or {})).items():
            archive.writestr(name, content)
    return file.getvalue()


def village(number: int, cells: str) -> str:
    code = f"371302001{200 + number % 800}"
    return f'<row r="{number}"><c r="A{number}"><v>{code}</v></c>{cells}</row>'


def csv_file(body: bytes, header: str = HEADER, encoding: str = "gb18030") -> bytes:
    return gzip.compress(header.encode(encoding) + b"\n" + body, compresslevel=1, mtime=0)


def json_body(items: bytes, total: int = 1) -> bytes:
    return b'{"code":0,"msg":"ok","data":{"total":%d,"items":[%b]}}' % (total, items)


def _fill(piece: bytes, size: int = 49 * MEGABYTE) -> bytes:
    return piece * (size // len(piece))


def _distinct_lines() -> bytes:
    lines = (f"{number:012d},x{number},y{number},z{number},w{number},t,1\n" for number in range(900_000))
    return "".join(lines).encode()[: 49 * MEGABYTE]


def _figures() -> str:
    from openpyxl.utils import get_column_letter

    letters = [get_column_letter(column) for column in range(3, 253)]
    return HEAD_ROWS + "".join(
        village(number, "".join(f'<c r="{letter}{number}"><v>1</v></c>' for letter in letters))
        for number in range(5, 1_600)
    )


def _item(values: bytes) -> bytes:
    return (
        b'{"unit":"371302000000","date":"2026-03-02","revision":1,"submitted_at":"2026-03-02T17:21:09+08:00",'
        b'"values":[%b]}' % values
    )


IN_MEMORY = "in_memory"
"""No input: holds some megabytes, to see that the measure sees them."""
HELD = 600 * MEGABYTE

WORST: dict[str, tuple[str, Callable[[], bytes]]] = {
    "csv_bomb": ("csv", lambda: gzip.compress(bytes(300 * MEGABYTE), compresslevel=9)),
    "csv_empty_lines": ("csv", lambda: csv_file(_fill(b",,,,,,\n"))),
    "csv_short_lines": ("csv", lambda: csv_file(_fill(b",,,,,,\n", 6_900_000))),
    "csv_ragged_lines": ("csv", lambda: csv_file(_fill(b"1,2\n", 3_900_000))),
    "csv_quoted_lines": ("csv", lambda: csv_file(b'"a\nb",,,,,,\n' + _distinct_lines())),
    "csv_columns": ("csv", lambda: csv_file(b"1" + b",1" * 100_000, HEADER + ",x" * 100_000)),
    "csv_wide_lines": ("csv", lambda: csv_file(_fill(b"," * 499 + b"\n"), HEADER + ",x" * 493)),
    "csv_cell": ("csv", lambda: csv_file(b'1,2,3,4,"' + b"7" * (20 * MEGABYTE) + b'",6,7\n')),
    "csv_swelling_cell": (
        "csv",
        lambda: csv_file("ﷺ".encode("gb18030") * (12 * MEGABYTE) + b",2,3,4,5,6,7\n"),
    ),
    "workbook_bomb": ("workbook", lambda: workbook("", more={"xl/x.xml": bytes(300 * MEGABYTE)})),
    "workbook_cells": (
        "workbook",
        lambda: workbook(HEAD_ROWS + "<row>" + "<c><v>1</v></c>" * 2_900_000 + "</row>"),
    ),
    "workbook_area": (
        "workbook",
        lambda: workbook(HEAD_ROWS + '<row r="120"><c r="XFD120"><v>1</v></c></row>'),
    ),
    "workbook_figures": ("workbook", lambda: workbook(_figures())),
    "workbook_shared": (
        "workbook",
        lambda: workbook(
            HEAD_ROWS + "".join(village(n, f'<c r="C{n}" t="s"><v>0</v></c>') for n in range(5, 2_000)),
            f"<si><t>{'很' * (15 * MEGABYTE)}</t></si>",
        ),
    ),
    "workbook_merged": (
        "workbook",
        lambda: workbook(
            HEAD_ROWS, tail="<mergeCells>" + '<mergeCell ref="A1:B2"/>' * 1_900_000 + "</mergeCells>"
        ),
    ),
    "workbook_errors": (
        "workbook",
        lambda: workbook(
            HEAD_ROWS + "".join(village(n, '<c t="e"><v>#N/A</v></c>' * 900) for n in range(5, 1_900))
        ),
    ),
    "workbook_strings": ("workbook", lambda: workbook(HEAD_ROWS, "<si/>" * 9_800_000)),
    "rest_brackets": ("rest", lambda: json_body(b"[]" + _fill(b",[]", 49 * MEGABYTE))),
    "rest_numbers": ("rest", lambda: json_body(_item(b"1.5" + _fill(b",1.5", 19 * MEGABYTE)))),
    "rest_values": (
        "rest",
        lambda: json_body(
            _item(
                b",".join(
                    b'{"measure":"x%07d","channel":"y%07d","value":%d}' % (n, n, n) for n in range(900_000)
                )
            )
        ),
    ),
    "rest_deep": ("rest", lambda: json_body(b"[" * 20 * MEGABYTE)),
    "rest_twice": (
        "rest",
        lambda: json_body(
            _item(b",".join(b'{"measure":"consultation","value":%d,"value":2}' % n for n in range(100_000)))
        ),
    ),
    "database_lines": (
        "database",
        lambda: _fill(
            b'{"county_code":"371302000000","stat_date":"2026-03-02","updated_at":"2026-03-02T09:00:00+00:00",'
            b'"calls":1,"answered":1}\n',
            8 * MEGABYTE,
        ),
    ),
}


def read_worst(name: str) -> dict[str, object]:
    """Read one in this process; what came of it, and megabytes held at most before and while reading."""
    from etl.catalog import Platform, load_catalog
    from etl.sources import SOURCES, Unreadable, pulled_of

    family = WORST[name][0]
    catalog = load_catalog(None)
    file = Path(sys.argv[2])
    data = file.read_bytes()
    platform = Platform(
        id="any", family=family, level="county", datasets=["daily"], conn_id="any", area=["371300000000"],
        calendar="everyday", options={},
    )  # fmt: skip
    pulled = pulled_of(date(2026, 3, 2), NAMES[family], [data], datetime(2026, 3, 2, tzinfo=UTC))
    before = _peak()
    started = datetime.now(UTC)
    try:
        reading = SOURCES[family].read(platform, catalog, pulled)
        answer = f"{len(reading.rows)} rows"
    except Unreadable as error:
        answer = str(error)
    seconds = (datetime.now(UTC) - started).total_seconds()
    return {"answer": answer, "before": before, "peak": _peak(), "seconds": seconds, "bytes": len(data)}


def _peak() -> int:
    """Megabytes that this process held at most (VmHWM)."""
    status = Path("/proc/self/status").read_text()
    held_kib = next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]
    return int(held_kib) * 1024 // MEGABYTE


if __name__ == "__main__":
    if sys.argv[1] == IN_MEMORY:
        held = b"x" * HELD
        print(json.dumps({"peak": _peak()}))
    else:
        print(json.dumps(read_worst(sys.argv[1]), ensure_ascii=False))
