"""The watch by the clock, twice a day over the Spring Festival and National Day, while nobody reports: which rungs it
ran for which day, and when, held against a list of days off written by hand."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest

from etl.clock import SHANGHAI
from etl.warehouse import ServerAddress
from tests.integration.alerts_site import COUNTY, alerts_site
from tests.unit.test_alert_hours import is_worked

RUNGS = ("cutoff", "workday_1", "workday_2", "workday_3")


def moment(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), SHANGHAI)


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def following(day: date, count: int) -> list[date]:
    """The next working days after a day, by the list."""
    found: list[date] = []
    while len(found) < count:
        day += timedelta(days=1)
        if is_worked(day):
            found.append(day)
    return found


def ladder(day: date, *, everyday: bool) -> dict[str, datetime]:
    """When each rung falls for figures of a day: of a centre that reports every day, or of the others."""
    cutoff = day + timedelta(days=1) if everyday else following(day, 1)[0]
    on = [cutoff, *following(cutoff, 3)]
    return {"due": moment(day, 18), **{name: moment(each, 10) for name, each in zip(RUNGS, on, strict=True)}}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "last"),
    [(date(2026, 2, 12), date(2026, 3, 3)), (date(2026, 9, 17), date(2026, 10, 15))],
)
def test_every_rung_around_the_holidays_is_run_on_its_day_and_tells_each_unit_once(
    first: date, last: date, server: ServerAddress, tmp_path: Path
) -> None:
    with alerts_site(server, tmp_path) as alerts:
        for day in days(first, last):
            alerts.expect(day)
            alerts.watch(moment(day, 10, 30))
            alerts.watch(moment(day, 18, 30))
        found = {
            (row["stat_date"], row["round"], row["round_at"], row["last_run_at"])
            for row in alerts.rows(
                "SELECT * FROM quality.alert_round WHERE round = ANY(:rungs)", rungs=["due", *RUNGS]
            )
        }
        expected = {
            (day, name, falls_at, falls_at + timedelta(minutes=30))
            for day in days(first, last)
            for everyday in (True, False)
            if everyday or is_worked(day)
            for name, falls_at in ladder(day, everyday=everyday).items()
            if falls_at <= moment(last, 18)
        }
        assert found == expected
        assert len(expected) > 80
        told = alerts.rows(
            "SELECT unit_code, stat_date, recipient, reason, count(*) AS times FROM mart.reminder GROUP BY 1, 2, 3, 4"
        )
        assert {row["times"] for row in told} == {1}
        assert {row["stat_date"] for row in told if row["unit_code"] != COUNTY} == {
            day for day in days(first, last) if is_worked(day)
        }
        assert {row["stat_date"] for row in told if row["unit_code"] == COUNTY} == set(days(first, last))


def test_the_list_knows_the_shifted_saturdays() -> None:
    assert [is_worked(date(2026, *day)) for day in ((2, 14), (2, 28), (10, 10), (2, 21), (10, 5))] == [
        True,
        True,
        True,
        False,
        False,
    ]
