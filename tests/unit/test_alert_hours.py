"""When the rungs of the ladder fall, held against a list of 2026's days off written by hand; quiet hours;
all-clears."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest

from etl.alerts.hours import after_quiet, all_clear_at, closes_at, round_at
from etl.alerts.rounds import open_rungs
from etl.catalog import Catalog, load_catalog
from etl.catalog.models import CalendarUnknown
from etl.clock import SHANGHAI
from etl.deadlines import deadlines

OFF_2026 = [
    ("2026-01-01", "2026-01-03"),
    ("2026-02-15", "2026-02-23"),
    ("2026-04-04", "2026-04-06"),
    ("2026-05-01", "2026-05-05"),
    ("2026-06-19", "2026-06-21"),
    ("2026-09-25", "2026-09-27"),
    ("2026-10-01", "2026-10-07"),
]
"""Public holidays of 2026 as the State Council announced them (国办发明电〔2025〕7号), first and last day."""
WORKED_2026 = {"2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"}
"""Weekend days that are worked."""
LADDER = ("due", "cutoff", "workday_1", "workday_2", "workday_3")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def is_worked(day: date) -> bool:
    text = day.isoformat()
    if text in WORKED_2026:
        return True
    return day.weekday() < 5 and not any(first <= text <= last for first, last in OFF_2026)


WORKED = [day for n in range(365) if is_worked(day := date(2026, 1, 1) + timedelta(days=n))]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(None)


def falls(catalog: Catalog, platform: str, day: date) -> dict[str, datetime]:
    """Moment of every rung for the units of a platform."""
    calendar = catalog.calendars[catalog.delivery().calendar]
    due_at, cutoff_at = deadlines(catalog, "daily", day)[platform]
    return {each.code: round_at(each, due_at, cutoff_at, calendar) for each in catalog.rounds()}


def test_every_rung_of_every_working_day_of_2026_falls_where_the_list_says(catalog: Catalog) -> None:
    looked_at = 0
    for number, day in enumerate(WORKED[:-4]):
        following = WORKED[number + 1 : number + 5]
        expected = [datetime.combine(day, at("2026-01-01T18:00").timetz())]
        expected += [datetime.combine(each, at("2026-01-01T10:00").timetz()) for each in following]
        found = falls(catalog, "village-371300", day)
        assert [found[code] for code in LADDER] == expected, day
        looked_at += 1
    assert looked_at == len(WORKED) - 4 == 244


@pytest.mark.parametrize(
    ("day", "moments"),
    [
        # The last day before the Spring Festival is a Saturday that is worked; the ladder goes on after the holiday.
        ("2026-02-14", ["02-14T18:00", "02-24T10:00", "02-25T10:00", "02-26T10:00", "02-27T10:00"]),
        # A Saturday worked in return lies between Friday and Monday.
        ("2026-02-26", ["02-26T18:00", "02-27T10:00", "02-28T10:00", "03-02T10:00", "03-03T10:00"]),
        ("2026-09-18", ["09-18T18:00", "09-20T10:00", "09-21T10:00", "09-22T10:00", "09-23T10:00"]),
        ("2026-09-30", ["09-30T18:00", "10-08T10:00", "10-09T10:00", "10-10T10:00", "10-12T10:00"]),
        ("2026-10-10", ["10-10T18:00", "10-12T10:00", "10-13T10:00", "10-14T10:00", "10-15T10:00"]),
    ],
)
def test_villages_around_holidays(catalog: Catalog, day: str, moments: list[str]) -> None:
    found = falls(catalog, "village-371300", date.fromisoformat(day))
    assert [found[code] for code in LADDER] == [at(f"2026-{each}") for each in moments]


def test_a_county_centre_is_due_on_holidays_too_and_its_province_is_told_the_next_morning(
    catalog: Catalog,
) -> None:
    found = falls(catalog, "county-371302", date(2026, 10, 3))
    assert found["due"] == at("2026-10-03T18:00")
    assert found["cutoff"] == found["county_centre"] == at("2026-10-04T10:00")
    assert found["workday_1"] == at("2026-10-08T10:00")


def test_no_rung_falls_before_the_one_below_it(catalog: Catalog) -> None:
    for day in WORKED[:-4]:
        found = falls(catalog, "village-371300", day)
        assert all(found[lower] < found[upper] for lower, upper in pairwise(LADDER))


def codes(catalog: Catalog, moment: str) -> set[str]:
    due_at, cutoff_at = deadlines(catalog, "daily", date(2026, 3, 6))["village-371300"]
    rungs = open_rungs(
        catalog.rounds(), [("daily", date(2026, 3, 6), due_at, cutoff_at)], catalog, at(moment)
    )
    return {rung.round.code for rung in rungs}


def test_a_rung_opens_at_its_second_and_not_before(catalog: Catalog) -> None:
    assert codes(catalog, "2026-03-06T17:59:59") == set()
    assert codes(catalog, "2026-03-06T18:00:00") == {"due"}
    assert "cutoff" not in codes(catalog, "2026-03-09T09:59:59")
    assert codes(catalog, "2026-03-09T10:00:00") == {"cutoff", "county_centre", "duty"}


def test_a_reminder_is_not_made_up_for_after_the_cut_off_but_the_ladder_is(catalog: Catalog) -> None:
    rung = next(each for each in catalog.rounds() if each.code == "due")
    due_at, cutoff_at = deadlines(catalog, "daily", date(2026, 3, 5))["village-371300"]
    assert closes_at(rung, due_at, cutoff_at) == cutoff_at
    assert codes(catalog, "2026-03-10T10:00:00") == {"cutoff", "county_centre", "duty", "workday_1"}
    assert codes(catalog, "2026-04-10T10:00:00") == set()


def test_the_ladder_goes_on_while_the_next_years_days_off_are_not_announced(catalog: Catalog) -> None:
    last = (date(2026, 12, 30), at("2026-12-30T18:00"), at("2026-12-31T10:00"))
    group = ("daily", *last)

    def codes(moment: str) -> list[str]:
        return [rung.round.code for rung in open_rungs(catalog.rounds(), [group], catalog, at(moment))]

    assert codes("2026-12-30T18:30") == ["due"]
    assert codes("2026-12-31T10:30") == ["cutoff", "county_centre", "duty"]
    with pytest.raises(CalendarUnknown, match="2027"):
        codes("2027-01-04T10:30")


@pytest.mark.parametrize(
    ("moment", "sent"),
    [
        ("2026-03-06T21:29:59", "2026-03-06T21:29:59"),
        ("2026-03-06T21:30:00", "2026-03-07T07:30:00"),
        ("2026-03-07T00:00:00", "2026-03-07T07:30:00"),
        ("2026-03-07T07:29:59", "2026-03-07T07:30:00"),
        ("2026-03-07T07:30:00", "2026-03-07T07:30:00"),
    ],
)
def test_quiet_hours_delay_until_they_end(catalog: Catalog, moment: str, sent: str) -> None:
    assert after_quiet(at(moment), catalog.delivery()) == at(sent)


def test_quiet_hours_within_a_day_do_not_reach_over_midnight(catalog: Catalog) -> None:
    noon = catalog.delivery().model_copy(
        update={"quiet_from": at("2026-01-01T12:00").time(), "quiet_to": at("2026-01-01T14:00").time()}
    )
    assert after_quiet(at("2026-03-06T13:00"), noon) == at("2026-03-06T14:00")
    assert after_quiet(at("2026-03-06T23:00"), noon) == at("2026-03-06T23:00")


@pytest.mark.parametrize(
    ("moment", "slot"),
    [
        ("2026-03-06T07:29:59", "2026-03-05T17:00"),
        ("2026-03-06T07:30:00", "2026-03-06T07:30"),
        ("2026-03-06T16:59:59", "2026-03-06T12:00"),
        ("2026-03-06T23:00:00", "2026-03-06T17:00"),
    ],
)
def test_all_clears_are_counted_from_the_declared_hours(catalog: Catalog, moment: str, slot: str) -> None:
    assert all_clear_at(at(moment), catalog.delivery()) == at(slot)
