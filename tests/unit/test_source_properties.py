"""Whatever bytes come: a reading, or Unreadable, and nothing else."""

from __future__ import annotations

import gzip
import io
import unicodedata
import zipfile
from datetime import UTC, date, datetime
from typing import Any

import openpyxl
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.catalog import Catalog, Platform, load_catalog
from etl.sources import SOURCES, Reading, Unreadable, pulled_of

NAMES = {
    "rest": "submissions",
    "csv": "township_371302_20260302_r1.csv.gz",
    "workbook": "village_371302001_20260302.xlsx",
    "database": "hotline_daily",
}
CATALOG: Catalog = load_catalog(None)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)
CELL = st.sampled_from(
    [
        "",
        "-",
        "12",
        "1,204",
        "合计",
        "零报告",
        "实体",
        "解答法律咨询",
        "单位代码",
        "单位名称",
        "13800138078",
        "统计日期：2026-03-02",
        "𝟏",
        "\x00",
    ]
) | st.text(max_size=8)


def read(family: str, *parts: bytes) -> Reading | None:
    """The reading, None when unreadable; checks what every reading keeps to."""
    platform = Platform(
        id="any",
        family=family,
        level="county",
        datasets=["daily"],
        conn_id="any",
        area=["371300000000"],
        calendar="everyday",
        options={},
    )
    pulled = pulled_of(date(2026, 3, 2), NAMES[family], parts, datetime(2026, 3, 2, tzinfo=UTC))
    try:
        reading = SOURCES[family].read(platform, CATALOG, pulled)
    except Unreadable:
        return None
    rows, submissions = reading.rows, reading.submissions
    assert rows["row_number"].tolist() == list(range(1, len(rows) + 1))
    assert submissions["submission"].tolist() == list(range(len(submissions)))
    assert set(rows["submission"]) <= set(submissions["submission"])
    assert not rows[["unit", "date", "measure", "channel", "part"]].isna().to_numpy().any()
    return reading


@pytest.mark.parametrize("family", NAMES)
@given(data=st.binary(max_size=300))
@QUICK
def test_arbitrary_bytes_are_read_or_unreadable(family: str, data: bytes) -> None:
    read(family, data)


@given(items=st.lists(JSON, max_size=4), code=st.sampled_from([0, 0, 0, 1, "0", None]))
@QUICK
def test_arbitrary_items_are_read_or_unreadable(items: list[Any], code: Any) -> None:
    try:
        body = orjson.dumps({"code": code, "msg": "", "data": {"total": len(items), "items": items}})
    except (TypeError, orjson.JSONEncodeError):
        return
    reading = read("rest", body)
    assert (reading is None) == (type(code) is not int or code != 0)
    assert reading is None or len(reading.submissions) == len(items)


@given(
    changes=st.dictionaries(
        st.sampled_from(["unit", "date", "revision", "submitted_at", "values", "survey", "totals", "x"]), JSON
    ),
    entry=st.dictionaries(st.sampled_from(["measure", "channel", "value", "asked"]), JSON),
)
@QUICK
def test_submissions_bent_out_of_shape_are_still_submissions(changes: Any, entry: Any) -> None:
    item = {
        "unit": "371302000000",
        "date": "2026-03-02",
        "revision": 1,
        "submitted_at": "2026-03-02T17:21:09+08:00",
    }
    try:
        item_bytes = orjson.dumps([item | {"values": [entry], "survey": [entry]} | changes])
    except (TypeError, orjson.JSONEncodeError):
        return
    reading = read("rest", b'{"code":0,"data":{"total":1,"items":' + item_bytes + b"}}")
    assert reading is not None
    assert len(reading.submissions) == 1


@given(lines=st.lists(st.lists(CELL, min_size=1, max_size=9), max_size=6), cut=st.integers(0, 40))
@QUICK
def test_arbitrary_lines_are_read_or_unreadable(lines: list[list[str]], cut: int) -> None:
    text = "单位代码,统计日期,渠道,指标,数值,填报时间,版次\n" + "\n".join(map(",".join, lines))
    packed = gzip.compress(text.encode("gb18030", errors="ignore"))
    read("csv", packed)
    read("csv", packed[: len(packed) - cut])


@given(
    row=st.dictionaries(st.sampled_from(["county_code", "stat_date", "updated_at", "calls", "asked"]), JSON)
)
@QUICK
def test_arbitrary_rows_of_the_view_are_read_or_unreadable(row: dict[str, Any]) -> None:
    try:
        line = orjson.dumps(row)
    except (TypeError, orjson.JSONEncodeError):
        return
    reading = read("database", line)
    assert (reading is not None) == ({"county_code", "stat_date", "updated_at"} <= set(row))


@given(cells=st.lists(st.lists(CELL | st.integers() | st.floats(), max_size=6), max_size=8))
@settings(QUICK, max_examples=40)
def test_arbitrary_sheets_are_read_or_unreadable(cells: list[list[Any]]) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "日报表"
    sheet.append(["单位代码", "单位名称", "实体"])
    sheet.append([None, None, "解答法律咨询"])
    for row in cells:
        try:
            sheet.append(row)
        except (ValueError, openpyxl.utils.exceptions.IllegalCharacterError):
            continue
    file = io.BytesIO()
    workbook.save(file)
    assert read("workbook", file.getvalue()) is not None or len(cells) > 0


@given(data=st.data())
@settings(QUICK, max_examples=80)
def test_a_workbook_with_a_flipped_byte_is_read_or_unreadable(data: st.DataObject) -> None:
    broken = bytearray(_WORKBOOK)
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    read("workbook", bytes(broken))


@given(data=st.data())
@settings(QUICK, max_examples=80)
def test_a_workbook_with_flipped_bytes_of_xml_is_read_or_unreadable(data: st.DataObject) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(_WORKBOOK)) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            content = bytearray(old.read(name))
            if name in (
                "xl/worksheets/sheet1.xml",
                "xl/workbook.xml",
                "xl/sharedStrings.xml",
                "xl/styles.xml",
            ):
                content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(32, 126))
            new.writestr(name, bytes(content))
    read("workbook", file.getvalue())


def _workbook() -> bytes:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "日报表"
    sheet.append(["单位代码", "单位名称", "实体"])
    sheet.append([None, None, "解答法律咨询", "调解受理"])
    sheet.append([371302001201, "甲村", 1, "2"])
    sheet.merge_cells("C1:D1")
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


_WORKBOOK = _workbook()


def flipped(data: st.DataObject, original: bytes) -> bytes:
    """Some bytes changed, taken out, doubled or put in."""
    broken = bytearray(original)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, max(len(broken) - 1, 0)))
        piece = data.draw(
            st.binary(max_size=4) | st.sampled_from([b"\x00", b'"', b"\r", b"\n", b",", b"{", b"1e999"])
        )
        broken[at : at + data.draw(st.integers(0, 3))] = piece
    return bytes(broken)


_ITEM = {
    "unit": "371302000000",
    "date": "2026-03-02",
    "revision": 1,
    "submitted_at": "2026-03-02T17:21:09+08:00",
    "values": [{"measure": "consultation", "channel": "physical", "value": 41}],
    "survey": [{"channel": "hotline", "asked": 60, "satisfied": 18}],
    "totals": {"consultation": 41},
}
_PAGE = orjson.dumps(
    {"code": 0, "msg": "ok", "data": {"total": 2, "page": 1, "size": 500, "items": [_ITEM] * 2}}
)
_CSV = (
    "单位代码,统计日期,渠道,指标,数值,填报时间,版次\r\n"
    '371302001000,2026-03-02,实体,解答法律咨询,"1,204",2026-03-02 17:40:00,1\r\n'
    "371302001000,2026-03-02,实体,合计,1204,,1\r\n371302002000,2026-03-02,,零报告,0,,1\r\n"
)
_ROW = (
    b'{"county_code":"371302000000","stat_date":"2026-03-02","calls":5,"asked":2,'
    b'"updated_at":"2026-03-02T09:00:00.000000+00:00"}\n'
)


@given(data=st.data())
@settings(QUICK, max_examples=150)
def test_a_page_with_bytes_changed_is_read_or_unreadable(data: st.DataObject) -> None:
    read("rest", flipped(data, _PAGE))


@given(data=st.data())
@settings(QUICK, max_examples=150)
def test_lines_with_bytes_changed_are_read_or_unreadable(data: st.DataObject) -> None:
    encoding = data.draw(st.sampled_from(["gb18030", "utf-8", "utf-16"]))
    read("csv", gzip.compress(flipped(data, _CSV.encode(encoding)), mtime=0))


@given(data=st.data())
@settings(QUICK, max_examples=100)
def test_rows_of_the_view_with_bytes_changed_are_read_or_unreadable(data: st.DataObject) -> None:
    read("database", flipped(data, _ROW * 2))


BLANKS = ("", "-", "—", " ", "　")
VALUES = st.sampled_from([*BLANKS, "12", "1,204", "x", "=1", "9" * 30]) | st.text(
    st.characters(codec="gb18030", exclude_characters='\r\n",\x1a'), max_size=5
)


@given(
    lines=st.lists(
        st.tuples(
            st.sampled_from(["371302001000", "371302002000", "", "x"]),
            st.sampled_from(["2026-03-02", "46083", ""]),
            st.sampled_from(["实体", "热线", "合计", "?"]),
            st.sampled_from(["解答法律咨询", "合计", "零报告", "?", ""]),
            VALUES,
            st.sampled_from(["", "17:40"]),
            st.sampled_from(["1", "2", "x"]),
        )
        | st.lists(st.sampled_from(["", "a", "371302001000"]), max_size=12).map(tuple),
        max_size=12,
    ),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
)
@settings(QUICK, max_examples=150)
def test_every_line_of_a_file_is_accounted_for(lines: list[tuple[str, ...]], end: str) -> None:
    expected = 0
    for line in lines:
        cells = line
        while len(cells) > 7 and not cells[-1]:
            cells = cells[:-1]
        if len(cells) != 7:
            expected += any(cells)
        elif cells[3] == "零报告":
            expected += cells[4] != "0"
        elif cells[3] != "合计":
            expected += is_value(cells[4], BLANKS)
    written = (",".join(f'"{cell}"' if "," in cell else cell for cell in line) for line in lines)
    text = end.join(["单位代码,统计日期,渠道,指标,数值,填报时间,版次", *written])
    reading = read("csv", gzip.compress(text.encode("gb18030"), mtime=0))
    assert reading is not None
    assert len(reading.rows) == expected


def is_value(text: str, blanks: tuple[str, ...]) -> bool:
    """Whether a cell says something: what is only space and dashes does not."""
    return unicodedata.normalize("NFKC", text).strip(" \t\u200b\ufeff") not in {
        blank.strip() for blank in blanks
    }


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([371302001201, "371302001202", "371302001203", 1]),
            st.lists(VALUES | st.integers(-5, 9999) | st.floats(-5, 1e6) | st.none(), min_size=3, max_size=3),
        ),
        max_size=8,
    )
)
@settings(QUICK, max_examples=60)
def test_every_cell_of_a_sheet_is_accounted_for(rows: list[tuple[Any, list[Any]]]) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "日报表"
    sheet.append(["单位代码", "单位名称", "实体"])
    sheet.append([None, None, "解答法律咨询", "调解受理", "不认识的"])
    expected = 0
    for number, (code, values) in enumerate(rows, 3):
        sheet.cell(number, 1, code)
        for at, value in enumerate(values, 3):
            if isinstance(value, str):
                value = "".join(character for character in value if character.isprintable())
                cell = sheet.cell(number, at)
                cell.value, cell.data_type = value, "s"
                expected += is_value(value, (*BLANKS, "/"))
            elif value is not None:
                sheet.cell(number, at, value)
                expected += 1
    file = io.BytesIO()
    workbook.save(file)
    reading = read("workbook", file.getvalue())
    assert reading is not None
    assert len(reading.rows) == expected


@given(items=st.lists(st.lists(JSON | st.fixed_dictionaries({"value": JSON}), max_size=5), max_size=4))
@settings(QUICK, max_examples=100)
def test_every_value_of_a_page_is_accounted_for(items: list[list[Any]]) -> None:
    try:
        body = orjson.dumps(
            {
                "code": 0,
                "data": {
                    "total": len(items),
                    "items": [_ITEM | {"survey": [], "values": each} for each in items],
                },
            }
        )
    except (TypeError, orjson.JSONEncodeError):
        return
    reading = read("rest", body)
    assert reading is not None
    said = [
        entry
        for each in items
        for entry in each
        if not isinstance(entry, dict) or entry.get("value") is not None
    ]
    assert len(reading.rows) == len(said)


@given(
    rows=st.lists(
        st.dictionaries(st.sampled_from(["calls", "answered", "asked", "answered_in_20s"]), JSON), max_size=4
    )
)
@settings(QUICK, max_examples=60)
def test_every_value_of_the_view_is_accounted_for(rows: list[dict[str, Any]]) -> None:
    head = {
        "county_code": "371302000000",
        "stat_date": "2026-03-02",
        "updated_at": "2026-03-02T09:00:00+00:00",
    }
    try:
        lines = b"".join(orjson.dumps(head | row) + b"\n" for row in rows)
    except (TypeError, orjson.JSONEncodeError):
        return
    reading = read("database", lines)
    assert reading is not None
    assert len(reading.submissions) == len(rows)
    said = [
        value
        for row in rows
        for name, value in row.items()
        if value is not None and name != "answered_in_20s"
    ]
    assert len(reading.rows) == len(said)
