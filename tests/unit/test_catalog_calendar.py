"""Calendars: who reports on which days."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import chinese_calendar
import pytest
from pydantic import ValidationError

from etl.catalog import Calendar, CalendarUnknown, load_catalog
from etl.settings import SHIPPED_CATALOG

EVERYDAY = load_catalog(None).calendars["everyday"]
WORKDAYS = load_catalog(None).calendars["workdays"]


def extended(**year: object) -> Calendar:
    return Calendar.model_validate({"name": "workdays", "days": "work", "overrides": [year]})


def test_the_everyday_calendar_expects_reports_on_holidays_and_in_years_nobody_announced() -> None:
    assert EVERYDAY.expects(date(2026, 10, 1))
    assert EVERYDAY.expects(date(2050, 1, 1))


@pytest.mark.parametrize(
    ("day", "is_workday"),
    [
        (date(2026, 3, 2), True),
        (date(2026, 3, 1), False),  # a Sunday
        (date(2026, 2, 14), True),  # a Saturday worked for the Spring Festival
        (date(2026, 2, 17), False),  # a Tuesday in the Spring Festival
        (date(2026, 10, 1), False),
        (date(2025, 9, 28), True),
    ],
)
def test_workdays_follow_public_holidays_and_shifted_days(day: date, is_workday: bool) -> None:
    assert WORKDAYS.is_workday(day) is is_workday
    assert WORKDAYS.expects(day) is is_workday


def test_the_last_day_that_the_package_knows_has_an_answer() -> None:
    last = max(chinese_calendar.constants.holidays).year
    assert WORKDAYS.is_workday(date(last, 12, 31)) in (True, False)
    with pytest.raises(CalendarUnknown):
        WORKDAYS.is_workday(date(last, 12, 31) + timedelta(days=1))


def test_a_year_nobody_announced_names_the_file_to_write() -> None:
    with pytest.raises(CalendarUnknown) as refused:
        WORKDAYS.expects(date(2051, 5, 4))
    for part in ("2051-05-04", "PLS_CATALOG", "calendars/calendars.yaml", "calendar workdays", "year: 2051"):
        assert part in str(refused.value)


def test_what_the_message_says_to_write_extends_the_calendar(tmp_path: Path) -> None:
    folder = tmp_path / "calendars"
    folder.mkdir()
    text = (SHIPPED_CATALOG / "calendars" / "calendars.yaml").read_text(encoding="utf-8")
    entry = "overrides: [{year: 2051, holidays: [2051-05-01, 2051-05-02], workdays: [2051-05-06]}]"
    changed = text.replace("overrides: []", entry)
    assert changed != text
    (folder / "calendars.yaml").write_text(changed, encoding="utf-8")
    workdays = load_catalog(tmp_path).calendars["workdays"]
    assert not workdays.is_workday(date(2051, 5, 1))  # a Monday, off
    assert workdays.is_workday(date(2051, 5, 3))  # a Wednesday
    assert workdays.is_workday(date(2051, 5, 6))  # a Saturday, worked
    assert not workdays.is_workday(date(2051, 5, 7))  # a Sunday
    with pytest.raises(CalendarUnknown):
        workdays.is_workday(date(2052, 1, 2))


def test_an_announced_year_goes_before_the_package() -> None:
    corrected = extended(year=2026, holidays=["2026-03-02"])
    assert not corrected.is_workday(date(2026, 3, 2))
    assert WORKDAYS.is_workday(date(2026, 3, 2))


@pytest.mark.parametrize(
    ("year", "words"),
    [
        ({"year": 2051, "holidays": ["2052-01-01"]}, "days of 2051 were expected, not 2052-01-01"),
        ({"year": 2051, "holidays": ["2051-01-01"], "workdays": ["2051-01-02"]}, "Saturdays and Sundays"),
        ({"year": 2051, "holidays": ["2051-01-07"], "workdays": ["2051-01-07"]}, "either off or worked"),
        ({"year": 2051, "holidays": ["2051-01-02", "2051-01-02"]}, "written twice: 2051-01-02"),
        ({"year": 2051, "holidays": []}, "at least 1"),
        ({"year": "2051", "holidays": ["2051-01-02"]}, "valid integer"),
    ],
)
def test_a_year_that_makes_no_sense_is_refused(year: dict[str, object], words: str) -> None:
    assert extended(year=2051, holidays=["2051-01-02"], workdays=["2051-01-07"]).overrides
    with pytest.raises(ValidationError, match=words):
        extended(**year)


def test_a_year_is_announced_once() -> None:
    year = {"year": 2051, "holidays": ["2051-01-02"]}
    with pytest.raises(ValidationError, match="written twice: 2051"):
        Calendar.model_validate({"name": "workdays", "days": "work", "overrides": [year, year]})
