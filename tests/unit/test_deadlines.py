"""Until when a day is on time, late or missing: over a whole year, and at its edges."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from etl.catalog import Calendar, CalendarUnknown, Catalog, CatalogError, load_catalog
from etl.deadlines import deadlines, expectations

CATALOG = load_catalog(None)
TOWNSHIPS, COUNTY = "township-371300", "county-371302"
# The State Council's notice for 2026: days off, and weekend days worked.
OFF = [
    ("2026-01-01", 3),
    ("2026-02-15", 9),
    ("2026-04-04", 3),
    ("2026-05-01", 5),
    ("2026-06-19", 3),
    ("2026-09-25", 3),
    ("2026-10-01", 7),
]
WORKED = ["2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"]


def is_workday(day: date) -> bool:
    """By the notice itself, not by the package that the catalogue asks."""
    off = {date.fromisoformat(first) + timedelta(days=n) for first, days in OFF for n in range(days)}
    return day.isoformat() in WORKED or (day.weekday() < 5 and day not in off)


def shanghai(day: date, hour: int) -> datetime:
    """China keeps one time, eight hours before UTC, all year."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC) - timedelta(hours=8)


def workdays_after(day: date) -> list[date]:
    return [
        each
        for each in (day + timedelta(days=n) for n in range(1, 30))
        if is_workday(each) and each.year == 2026
    ]


def test_every_day_of_a_year_is_due_and_cut_off_as_the_notice_of_holidays_says() -> None:
    first = date(2026, 1, 1)
    days = [first + timedelta(days=n) for n in range(364)]
    for day in days:
        due = deadlines(CATALOG, "daily", day)
        assert due[COUNTY] == (shanghai(day, 18), shanghai(day + timedelta(days=1), 10)), "7×24"
        assert (TOWNSHIPS in due) is is_workday(day), day
        if is_workday(day):
            following = workdays_after(day)
            assert due[TOWNSHIPS] == (shanghai(day, 18), shanghai(following[0], 10)), day
    assert sum(map(is_workday, days)) > 240


def test_before_a_long_holiday_the_cut_off_waits_for_the_first_day_worked() -> None:
    assert deadlines(CATALOG, "daily", date(2026, 2, 14))[TOWNSHIPS].cutoff_at == shanghai(
        date(2026, 2, 24), 10
    )


def test_month_end_figures_are_due_on_the_fifth_working_day_and_cut_off_on_the_sixth() -> None:
    for month_end in (date(2026, 1, 31), date(2026, 2, 28), date(2026, 9, 30), date(2026, 4, 30)):
        working = workdays_after(month_end)
        for platform in ("stocks-371300", COUNTY):
            due = deadlines(CATALOG, "stocks", month_end)[platform]
            assert due == (shanghai(working[4], 18), shanghai(working[5], 10)), month_end
    assert deadlines(CATALOG, "stocks", date(2026, 9, 29)) == {}
    assert "village-371300" not in deadlines(CATALOG, "stocks", date(2026, 9, 30)), "it delivers none"


def test_a_cut_off_in_a_year_nobody_announced_is_guessed_and_its_days_are_refused() -> None:
    assert is_workday(date(2026, 12, 31))
    due = deadlines(CATALOG, "daily", date(2026, 12, 31))[TOWNSHIPS]
    assert due == (shanghai(date(2026, 12, 31), 18), shanghai(date(2027, 1, 1), 10)), "a Friday"
    with pytest.raises(CalendarUnknown, match="workdays of 2027 are not known"):
        deadlines(CATALOG, "daily", date(2027, 1, 4))


def test_times_of_day_are_declared_not_coded(tmp_path: Path) -> None:
    (tmp_path / "calendars").mkdir()
    (tmp_path / "calendars" / "c.yaml").write_text(
        '- {name: everyday, days: every, due: "17:30", cutoff: "09:15"}\n'
        "- {name: workdays, days: work, stocks_workday: 3}\n"
    )
    catalog = load_catalog(tmp_path)
    due = deadlines(catalog, "daily", date(2026, 3, 2))[COUNTY]
    assert due.due_at == shanghai(date(2026, 3, 2), 17) + timedelta(minutes=30)
    assert due.cutoff_at == shanghai(date(2026, 3, 3), 9) + timedelta(minutes=15)
    stocks = deadlines(catalog, "stocks", date(2026, 2, 28))["stocks-371300"]
    assert stocks.due_at == shanghai(workdays_after(date(2026, 2, 28))[2], 18)


@pytest.mark.parametrize("written", ["18:00", "1800", '"24:00"', '"6pm"'])
def test_a_time_of_day_that_is_none_is_refused(written: str, tmp_path: Path) -> None:
    (tmp_path / "calendars").mkdir()
    (tmp_path / "calendars" / "c.yaml").write_text(f"- {{name: everyday, days: every, due: {written}}}\n")
    with pytest.raises(CatalogError, match=r"key due is .* expected"):
        load_catalog(tmp_path)


def excusing(folder: Path, **keys: str) -> Catalog:
    entry = {
        "id": "flood",
        "division": '"371302001000"',
        "datasets": "[daily]",
        "first_day": "2026-07-20",
        "last_day": "2026-07-22",
        "reason": "水毁",
    } | keys
    (folder / "exceptions").mkdir(exist_ok=True)
    lines = ", ".join(f"{key}: {value}" for key, value in entry.items())
    (folder / "exceptions" / "e.yaml").write_text(f"- {{{lines}}}\n")
    return load_catalog(folder)


def test_an_exception_excuses_from_its_first_day_to_its_last_in_its_data_set(tmp_path: Path) -> None:
    catalog = excusing(tmp_path)
    excused = {day: expectations(catalog, "daily", date(2026, 7, day))["excused"] for day in range(18, 26)}
    assert [day for day, codes in excused.items() if codes == ["371302001000"]] == [20, 21, 22]
    assert expectations(catalog, "stocks", date(2026, 7, 21))["excused"] == []


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("last_day", "2026-07-19", "lies before first_day"),
        ("reason", '""', "key reason"),
        ("division", "371302", "key division"),
        ("datasets", "[weekly]", "key datasets"),
        ("why", "水毁", "key why is not known"),
    ],
)
def test_an_exception_that_cannot_be_meant_is_refused(
    key: str, value: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(CatalogError, match=words):
        excusing(tmp_path, **{key: value})


def test_the_calendar_asked_is_the_one_of_the_platform() -> None:
    assert isinstance(CATALOG.calendars["workdays"], Calendar)
    assert {TOWNSHIPS, "village-371300"}.isdisjoint(deadlines(CATALOG, "daily", date(2026, 10, 1)))
