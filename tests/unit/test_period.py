"""Periods are whole calendar days; their names can be read back."""

from datetime import date

import pytest

from etl.periods import Period, PeriodUnknown, periods_touched


@pytest.mark.parametrize(
    ("name", "starts_on", "ends_on"),
    [
        ("2024-02-29", date(2024, 2, 29), date(2024, 2, 29)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2026Q1", date(2026, 1, 1), date(2026, 3, 31)),
        ("2026Q4", date(2026, 10, 1), date(2026, 12, 31)),
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2026-03/to_date", date(2026, 1, 1), date(2026, 3, 31)),
    ],
)
def test_a_period_is_read_from_its_name_and_back(name: str, starts_on: date, ends_on: date) -> None:
    period = Period.parse(name)
    assert (period.starts_on, period.ends_on, period.name) == (starts_on, ends_on, name)


@pytest.mark.parametrize(
    "name", ["2026-13", "2026Q5", "26", "2026-02-30", "2026-3", "0000", "2026Q", "二〇二六", ""]
)
def test_what_names_no_period_is_refused(name: str) -> None:
    with pytest.raises(PeriodUnknown, match="2026Q1"):
        Period.parse(name)


@pytest.mark.parametrize(
    ("name", "previous", "last_year"),
    [
        ("2026-01", "2025-12", "2025-01"),
        ("2024-03-01", "2024-02-29", "2023-03-01"),
        ("2024-02-29", "2024-02-28", "2023-02-28"),
        ("2026Q1", "2025Q4", "2025Q1"),
        ("2026", "2025", "2025"),
        ("2025-02/to_date", "2024-02/to_date", "2024-02/to_date"),
    ],
)
def test_a_period_knows_those_it_is_compared_with(name: str, previous: str, last_year: str) -> None:
    period = Period.parse(name)
    assert (period.previous().name, period.last_year().name) == (previous, last_year)


def test_periods_are_made_of_whole_months() -> None:
    assert [each.name for each in Period.parse("2026Q4").months()] == ["2026-10", "2026-11", "2026-12"]
    assert len(Period.parse("2026").months()) == 12
    assert [each.name for each in Period.parse("2026-02/to_date").months()] == ["2026-01", "2026-02"]
    assert Period.parse("2024").days == 366


def test_a_day_touches_its_periods_and_the_year_to_date_from_then_on() -> None:
    names = [each.name for each in periods_touched([date(2026, 11, 30), date(2026, 11, 2)])]
    assert names == [
        "2026-11-02", "2026-11-30", "2026-11", "2026Q4", "2026", "2026-11/to_date", "2026-12/to_date",
    ]  # fmt: skip
