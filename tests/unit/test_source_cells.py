"""Numbers, days and moments as senders write them."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime

import pytest

from etl.sources.cells import code_of, day_text, name_keys, read_day, read_number, read_stamp

BLANKS = frozenset({"", "-", "—"})


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12.0),
        ("0", 0.0),
        (" 12 ", 12.0),
        ("１２", 12.0),
        ("1,204", 1204.0),
        ("１，２０４", 1204.0),
        ("1,234,567", 1234567.0),
        ("12.0", 12.0),
        ("1.5", 1.5),
        ("-3", -3.0),
        ("－3", -3.0),
        ("−3", -3.0),
        ("+3", 3.0),
    ],
)
def test_a_number_is_read_in_every_form(text: str, number: float) -> None:
    assert read_number(text, BLANKS) == number


@pytest.mark.parametrize("text", ["", " ", "-", "—", "－", "　"])
def test_a_blank_is_no_value(text: str) -> None:
    assert read_number(text, BLANKS) is None


@pytest.mark.parametrize(
    "text",
    [
        "12件",
        "abc",
        "1,20",
        "1 204",
        "1e5",
        "/",
        "--",
        "#DIV/0!",
        "nan",
        "inf",
        "9" * 400,
        "12①",
        "5²",
        "③",
        "1½",
    ],
)
def test_what_is_not_a_number_is_nan(text: str) -> None:
    number = read_number(text, BLANKS)
    assert number is not None
    assert math.isnan(number)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02",
        "2026/3/2",
        "2026.3.2",
        "2026年3月2日",
        "20260302",
        "２０２６-03-02",
        "2026-03-02 00:00:00",
    ],
)
def test_a_day_is_read_in_every_form(text: str) -> None:
    assert read_day(text) == date(2026, 3, 2)
    assert day_text(text) == "2026-03-02"


@pytest.mark.parametrize("text", ["", "2026-02-30", "2026-3/2", "3月2日", "昨天", "2026-03-02x", "99999999"])
def test_what_is_no_day_stays_as_received(text: str) -> None:
    assert read_day(text) is None
    assert day_text(text) == text


def test_a_stamp_is_turned_to_utc_and_without_a_zone_it_is_shanghai() -> None:
    expected = datetime(2026, 3, 2, 9, 21, 9, tzinfo=UTC)
    assert read_stamp("2026-03-02T17:21:09+08:00") == expected
    assert read_stamp("2026-03-02 17:21:09") == expected
    assert read_stamp("2026-03-02T09:21:09Z") == expected
    assert [read_stamp(text) for text in ("", "soon", "0001-01-01T00:00:00+08:00")] == [None] * 3


def test_a_name_is_found_whatever_its_width_and_spacing() -> None:
    names = name_keys({"12348 来电": "hotline_call", "向村(居)委会提供法律建议": "advice_to_village"})
    assert code_of(names, "１２３４８来电") == "hotline_call"
    assert code_of(names, "向村（居）委会提供法律建议 ") == "advice_to_village"
    assert code_of(names, "别的 ") == "别的 "
