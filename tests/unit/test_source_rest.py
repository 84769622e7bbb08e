"""Family A: what is read from the pages of a county platform."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any

import orjson
import pytest

from etl.catalog import Catalog, Platform, load_catalog
from etl.sources import SOURCES, Reading, Unreadable, pulled_of

DAY = date(2026, 3, 2)
ITEM: dict[str, Any] = {
    "unit": "371302000000",
    "date": "2026-03-02",
    "revision": 1,
    "submitted_at": "2026-03-02T17:21:09+08:00",
    "values": [
        {"measure": "consultation", "channel": "physical", "value": 41},
        {"measure": "hotline_call", "channel": "hotline", "value": 120},
    ],
}
SURVEY = {
    "channel": "hotline",
    "asked": 60,
    "answered": 52,
    "aware": 40,
    "first_choice": 31,
    "very_satisfied": 20,
    "satisfied": 18,
    "basically_satisfied": 9,
    "dissatisfied": 4,
    "very_dissatisfied": 1,
}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(None)


def platform(**options: Any) -> Platform:
    return Platform(
        id="county-371302",
        family="rest",
        level="county",
        datasets=["daily"],
        conn_id="pls_county",
        area=["371302000000"],
        calendar="everyday",
        options=options,
    )


VALUE = {"measure": "consultation", "channel": "physical", "value": 4}


def page(*items: Any, **data: Any) -> bytes:
    return orjson.dumps(
        {"code": 0, "msg": "ok", "data": {"total": len(items), "page": 1, "size": 500, "items": items} | data}
    )


def read(catalog: Catalog, *items: Any, name: str = "submissions", **options: Any) -> Reading:
    return read_pages(catalog, page(*items), name=name, **options)


def read_pages(catalog: Catalog, *pages: bytes, name: str = "submissions", **options: Any) -> Reading:
    return SOURCES["rest"].read(platform(**options), catalog, pulled_of(DAY, name, pages))


def value_of(catalog: Catalog, value: Any) -> tuple[Any, Any]:
    entry = {"measure": "consultation", "channel": "physical", "value": value}
    rows = read(catalog, ITEM | {"values": [entry]}).rows
    assert len(rows) == 1
    return rows["value"][0], rows["value_text"][0]


def test_each_figure_is_a_row_of_its_unit(catalog: Catalog) -> None:
    reading = read_pages(catalog, page(ITEM), page(ITEM | {"unit": "371302001000", "revision": 3}))
    assert reading.rows["measure"].tolist() == ["consultation", "hotline_call"] * 2
    assert reading.rows["channel"].tolist() == ["physical", "hotline"] * 2
    assert reading.rows["value"].tolist() == [41.0, 120.0] * 2
    assert reading.rows["part"].tolist() == ["第 1 页"] * 2 + ["第 2 页"] * 2
    assert reading.submissions["unit"].tolist() == ["371302000000", "371302001000"]
    assert reading.submissions["revision"].tolist() == [1, 3]
    assert reading.submissions["received_at"].tolist() == [datetime(2026, 3, 2, 9, 21, 9, tzinfo=UTC)] * 2
    assert reading.rows["problem"].isna().all()


def test_no_values_are_a_nil_report(catalog: Catalog) -> None:
    reading = read(catalog, ITEM | {"values": []}, ITEM | {"values": [], "survey": [SURVEY]}, ITEM)
    assert reading.submissions["is_nil"].tolist() == [True, True, False]
    assert len(reading.rows) == 11


def test_survey_answers_are_measures_of_their_channel(catalog: Catalog) -> None:
    rows = read(catalog, ITEM | {"values": [], "survey": [SURVEY]}).rows
    assert set(rows["channel"]) == {"hotline"}
    survey = {code for code, measure in catalog.measures.items() if measure.kind == "survey"}
    assert set(rows["measure"]) == survey
    assert dict(zip(rows["measure"], rows["value"], strict=True))["survey_answered"] == 52.0


def test_a_number_in_the_survey_that_is_no_answer_is_a_row_for_the_gate(catalog: Catalog) -> None:
    rows = read(
        catalog, ITEM | {"survey": [{"channel": "hotline", "neutral": 3, "remark": "无", "aware": "x"}]}
    ).rows
    assert rows["measure"].tolist()[2:] == ["neutral", "aware"]
    assert rows["value_text"].tolist()[3] == "x"


def test_totals_are_sums_to_check(catalog: Catalog) -> None:
    reading = read(catalog, ITEM | {"totals": {"consultation": 41, "hotline_call": "viele", "other": None}})
    assert reading.totals[["submission", "measure", "channel", "total"]].values.tolist() == [
        [0, "consultation", None, 41.0]
    ]
    assert [(index, code) for index, code, _ in reading.notes] == [(0, "bad_total")]


@pytest.mark.parametrize(("value", "number"), [(41, 41.0), (41.0, 41.0), (0, 0.0), (-1, -1.0), (1.5, 1.5)])
def test_a_json_number_is_the_value(catalog: Catalog, value: Any, number: float) -> None:
    assert value_of(catalog, value)[0] == number


@pytest.mark.parametrize(
    ("value", "text"), [("41", "41"), (True, "true"), ([1], "[1]"), ({"a": 1}, '{"a":1}'), ("", "")]
)
def test_anything_else_is_not_a_number(catalog: Catalog, value: Any, text: str) -> None:
    number, shown = value_of(catalog, value)
    assert math.isnan(number)
    assert shown == text


def test_null_is_no_value(catalog: Catalog) -> None:
    values = [{"measure": "consultation", "channel": "physical", "value": None}]
    reading = read(catalog, ITEM | {"values": values})
    assert len(reading.rows) == 0
    assert reading.submissions["is_nil"].tolist() == [False]


def test_unknown_names_keep_their_text_and_missing_ones_are_empty(catalog: Catalog) -> None:
    values = [
        {"measure": "解答法律咨询", "channel": "fax", "value": 1},
        {"value": 2},
        {"measure": 7, "channel": None, "value": 3},
        "4",
    ]
    rows = read(catalog, ITEM | {"values": values}).rows
    assert rows["measure"].tolist() == ["解答法律咨询", "", "7", ""]
    assert rows["channel"].tolist() == ["fax", "", "", ""]
    assert rows["value_text"].tolist()[3] == "4"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"unit": None}, "没有 unit"),
        ({"date": 20260302}, "没有 date"),
        ({"revision": "1"}, "revision"),
        ({"revision": 1.5}, "revision"),
        ({"revision": True}, "revision"),
        ({"revision": -1}, "revision"),
        ({"revision": 2**63}, "revision"),
        ({"values": None}, "values"),
        ({"values": {"consultation": 1}}, "values"),
        ({"survey": {"asked": 1}}, "survey"),
    ],
)
def test_a_submission_of_another_shape_is_one_problem_row(catalog: Catalog, change: Any, words: str) -> None:
    reading = read(catalog, ITEM | change, ITEM)
    assert words in reading.rows["problem"][0]
    assert reading.rows["submission"].tolist() == [0, 1, 1]
    assert reading.submissions["is_nil"].tolist() == [False, False]


def test_an_item_that_is_no_object_is_one_problem_row(catalog: Catalog) -> None:
    reading = read(catalog, ["x"], ITEM)
    assert reading.rows["problem"].notna().tolist() == [True, False, False]


def test_survey_answers_alone_are_no_nil_report(catalog: Catalog) -> None:
    item = {name: value for name, value in ITEM.items() if name != "values"} | {"survey": [SURVEY]}
    reading = read(catalog, item)
    assert len(reading.rows) == 9
    assert reading.submissions["is_nil"].tolist() == [False]


def test_a_stamp_that_cannot_be_read_is_missing(catalog: Catalog) -> None:
    reading = read(catalog, ITEM | {"submitted_at": "gestern"}, ITEM | {"submitted_at": 5}, ITEM)
    assert reading.submissions["received_at"].isna().tolist() == [True, True, False]


def test_a_day_keeps_items_of_other_dates_for_the_gate(catalog: Catalog) -> None:
    reading = read(catalog, ITEM, ITEM | {"date": "2026-03-01"}, ITEM | {"date": "gestern"})
    assert reading.submissions["date"].tolist() == ["2026-03-02", "2026-03-01", "gestern"]


def test_a_batch_of_what_changed_keeps_its_own_day_and_today_keeps_the_undated(catalog: Catalog) -> None:
    items = [ITEM, ITEM | {"date": "2026-03-01"}, ITEM | {"date": "gestern"}, "x"]
    assert read(catalog, *items, name="submissions-since-2026-03-05").submissions["date"].tolist() == [
        "2026-03-02"
    ]
    today = read(catalog, *items, name="submissions-since-2026-03-02")
    assert today.submissions["date"].tolist() == ["2026-03-02", "gestern", ""]


@pytest.mark.parametrize(
    "change",
    [
        {"contact": "13800138078"},
        {"contact": {"tel": ["+86 138-0013-8078"]}},
        {"contact": 13800138078},
        {"13800138078": 1},
        {"revision": "371302199003071234"},
        {"unit": "13800138078"},
        {"values": [{"measure": "consultation", "channel": "physical", "value": 13800138078}]},
        {"values": [{"measure": "consultation", "channel": "physical", "value": "13800138078"}]},
        {"values": [{"measure": "张三13800138078", "channel": "physical", "value": 1}]},
        {"values": [{"measure": "consultation", "channel": "physical", "value": 371302199003071234}]},
    ],
)
def test_personal_data_anywhere_marks_the_submission(catalog: Catalog, change: dict[str, Any]) -> None:
    reading = read(catalog, ITEM | change, ITEM | {"unit": "371302001000"})
    assert reading.submissions["personal"].tolist() == [True, False]
    shown = (
        reading.rows.to_csv() + reading.submissions.to_csv() + reading.totals.to_csv() + str(reading.notes)
    )
    assert "8078" not in shown
    assert "19900307" not in shown


def test_personal_data_in_escapes_is_found(catalog: Catalog) -> None:
    body = page(ITEM | {"contact": "@"}).replace(b"@", b"\\u0031\\uff138001380\\u0037\\u0038")
    assert read_pages(catalog, body).submissions["personal"].tolist() == [True]


@pytest.mark.parametrize(
    "change",
    [
        {"date": "2026-03-02T17:00 13800138078"},
        {"revision": 371302199001011234.0},
        {"totals": {"consultation": 371302199001011234.0}},
        {"values": [VALUE | {"value": [[[{"a": "13800138078"}]]]}]},
        {"values": [VALUE | {"value": 138.00138078}]},
        {"values": [VALUE | {"value": 138.00138078, "note": "x"}]},
        {"values": [VALUE | {"value": 138.00138078}, VALUE | {"channel": "hotline", "value": None}]},
    ],
)
def test_personal_data_is_found_however_it_is_written(catalog: Catalog, change: dict[str, Any]) -> None:
    reading = read(catalog, ITEM | change, ITEM | {"unit": "371302001000"})
    assert reading.submissions["personal"].tolist() == [True, False]


def test_personal_data_below_what_can_be_written_again_is_found(catalog: Catalog) -> None:
    value = f'{"[" * 300}"13800138078"{"]" * 300}'
    body = page(ITEM | {"values": [VALUE | {"value": "@"}]}).replace(b'"@"', value.encode())
    assert read_pages(catalog, body).submissions["personal"].tolist() == [True]


def test_two_keys_of_one_answer_are_two_rows(catalog: Catalog) -> None:
    survey = [{"channel": "hotline", "asked": 60, "survey_asked": 70}, {"channel": "physical", "asked": 5}]
    rows = read(catalog, ITEM | {"values": [], "survey": survey}).rows
    assert rows["measure"].tolist() == ["survey_asked"] * 3
    assert rows["value"].tolist() == [60.0, 70.0, 5.0]


def test_rows_stand_in_the_order_of_the_items(catalog: Catalog) -> None:
    """They are numbered by it, and found again by their numbers when the batch is read once more."""
    survey = {"survey": [{"channel": "hotline", "asked": 9}]}
    items = [ITEM | survey, ITEM, {"unit": "371302000000"}, ITEM, ITEM | survey]
    rows = read(catalog, *items).rows
    assert rows["line"].tolist() == [1, 1, 1, 2, 2, 3, 4, 4, 5, 5, 5]


def test_fields_follow_the_declaration(catalog: Catalog) -> None:
    item = {
        "dw": "371302000000",
        "date": "2026-03-02",
        "revision": 1,
        "submitted_at": ITEM["submitted_at"],
        "values": [{"zb": "consultation", "channel": "physical", "value": 5}],
        "survey": [{"channel": "hotline", "cp": 9}],
    }
    body = orjson.dumps({"ret": 0, "data": {"count": 1, "items": [item]}})
    fields = {"unit": "dw", "measure": "zb", "asked": "cp", "code": "ret", "total": "count"}
    reading = read_pages(catalog, body, fields=fields)
    assert reading.rows["measure"].tolist() == ["consultation", "survey_asked"]
    assert reading.submissions["unit"].tolist() == ["371302000000"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "空的"),
        (b"  ", "空的"),
        (b"<html></html>", "HTML"),
        (b"[1", "不合语法"),
        (b'{"code": 0, "data": {"tot', "中途断开"),
        ('{"code": 0, "msg": "中'.encode()[:-1], "中途断开"),
        (b"[]", "code"),
        (b"{}", "code"),
        (b'{"code": "0"}', "code"),
        (b'{"code": false}', "code"),
        (b'{"code": 17, "msg": "closed"}', "17：closed"),
        (b'{"code": 17, "msg": "ask 13800138078"}', r"138\*\*\*\*\*\*78"),
        (b'{"code": 0}', "data"),
        (b'{"code": 0, "data": []}', "data"),
        (page(ITEM, total="1"), "data"),
        (page(ITEM, total=-1), "data"),
        (page(ITEM, items={}), "data"),
        (b"[" * 5000, "不合语法"),
    ],
)
def test_a_body_that_is_not_the_json_promised_is_unreadable(
    catalog: Catalog, body: bytes, words: str
) -> None:
    with pytest.raises(Unreadable, match=words):
        read_pages(catalog, body)


def test_a_wrong_option_is_refused_by_name(catalog: Catalog) -> None:
    with pytest.raises(Unreadable, match=r"county-371302.*page_sise"):
        read(catalog, ITEM, page_sise=100)
    with pytest.raises(Unreadable, match="page_size"):
        read(catalog, ITEM, page_size=501)


@pytest.mark.parametrize("depth", [300, 900])
@pytest.mark.parametrize(
    "field", ["unit", "date", "revision", "submitted_at", "values", "survey", "totals", "other"]
)
def test_a_value_nested_deeply_is_read_like_any_other(catalog: Catalog, field: str, depth: int) -> None:
    nested = b"[" * depth + b'"13800138078"' + b"]" * depth
    body = page(ITEM | {field: "@"}).replace(b'"@"', nested)
    reading = read_pages(catalog, body)
    assert reading.submissions["personal"].tolist() == [True]
