"""Who reported when: statuses exact to the second, reporting rates at every level, as now and as known then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from etl.deadlines import expect_units
from etl.rollup import roll_up_day
from etl.warehouse import ServerAddress
from tests.integration.divisions_site import DivisionsSite, divisions_site

pytestmark = pytest.mark.integration
CITY, COUNTY, TOWN, OTHER = "371300000000", "371302000000", "371302001000", "371302002000"
VILLAGES = [f"371302001{n:03}" for n in (1, 2, 3, 4)]
DIVISIONS = f"""
    {CITY},临沂市,city,
    {COUNTY},兰山区,county,{CITY}
    {TOWN},兰山街道,township,{COUNTY}
    {OTHER},银雀山街道,township,{COUNTY}
    371302001001,甲村委会,village,{TOWN}
    371302001002,乙村委会,village,{TOWN}
    371302001003,丙村委会,village,{TOWN}
    371302001004,丁村委会,village,{TOWN}
"""
PLATFORMS = """
- {{id: county, family: rest, level: county, datasets: [daily, stocks], conn_id: x, area: ["371302000000"],
   calendar: everyday}}
- {{id: hotline, family: database, level: county, datasets: [daily], conn_id: x, area: ["{area}"], calendar: everyday}}
- {{id: town, family: csv, level: township, datasets: [daily], conn_id: x, area: ["{area}"], calendar: workdays}}
- {{id: stock, family: rest, level: township, datasets: [stocks], conn_id: x, area: ["{area}"], calendar: workdays}}
- {{id: village, family: workbook, level: village, datasets: [daily], conn_id: x, area: ["{area}"], calendar: workdays}}
"""
FRIDAY, SUNDAY = date(2026, 3, 6), date(2026, 3, 8)
DUE = datetime(2026, 3, 6, 10, tzinfo=UTC)
CUTOFF = datetime(2026, 3, 9, 2, tzinfo=UTC)
SECOND = timedelta(seconds=1)
FIGURES = {("consultation", "physical"): 2}


@pytest.fixture
def site(server: ServerAddress, tmp_path: Path) -> Iterator[DivisionsSite]:
    (tmp_path / "exceptions").mkdir()
    (tmp_path / "exceptions" / "flood.yaml").write_text(
        f'- {{id: flood, division: "{TOWN}", datasets: [daily], first_day: 2026-03-10, last_day: 2026-03-11,'
        " reason: 水毁}\n"
    )
    with divisions_site(server, tmp_path, CITY, PLATFORMS) as made:
        made.load(DIVISIONS)
        yield made


def status_at(site: DivisionsSite, moment: datetime | str, day: date = FRIDAY, **of: str) -> dict[str, Any]:
    """Rows by unit as it stood at a moment; 'now' asks the view."""
    source = (
        "mart.submission_status"
        if moment == "now"
        else "mart.submission_status_as_of(CAST(:moment AS timestamptz))"
    )
    dataset = of.get("dataset", "daily")
    with site.engine.connect() as conn:
        rows = conn.execute(
            sa.text(f"SELECT * FROM {source} WHERE stat_date = :day AND dataset = :dataset"),
            {"moment": moment, "day": day, "dataset": dataset},
        ).all()
    found = {row.unit_code: row for row in rows}
    assert len(found) == len(rows) > 0
    return found


def rates(site: DivisionsSite, day: date, dataset: str = "daily") -> dict[str, tuple[Any, ...]]:
    rows = site.frame(
        "SELECT division_code, expected, received, on_time, late, missing, rejected FROM mart.reporting_rate"
        " WHERE stat_date = :day AND dataset = :dataset",
        day=day,
        dataset=dataset,
    )
    return {row[0]: tuple(row[1:]) for row in rows.itertuples(index=False)}


@pytest.mark.parametrize(
    ("arrived", "status"),
    [
        (DUE - SECOND, "on_time"),
        (DUE, "on_time"),
        (DUE + SECOND, "late"),
        (CUTOFF, "late"),
        (CUTOFF + SECOND, "late_after_cutoff"),
    ],
)
def test_the_second_decides(site: DivisionsSite, arrived: datetime, status: str) -> None:
    site.send(VILLAGES[0], FRIDAY, arrived, FIGURES, platform="village")
    site.roll_up(FRIDAY)
    row = status_at(site, "now")[VILLAGES[0]]
    assert (row.due_at, row.cutoff_at, row.received_at) == (DUE, CUTOFF, arrived)
    assert row.status == status
    on_time, late = int(status == "on_time"), int(status == "late")
    assert rates(site, FRIDAY)[VILLAGES[0]] == (1, 1, on_time, late, 0, 0)
    assert rates(site, FRIDAY)[CITY] == (7, 1, on_time, late, 6, 0)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Shanghai"])
def test_the_zone_of_the_session_changes_nothing(site: DivisionsSite, zone: str) -> None:
    site.send(VILLAGES[0], FRIDAY, DUE + SECOND, FIGURES, platform="village")
    site.roll_up(FRIDAY)
    with site.engine.connect() as conn:
        conn.execute(sa.text(f"SET TIME ZONE '{zone}'"))
        row = conn.execute(
            sa.text("SELECT * FROM mart.submission_status WHERE unit_code = :unit AND stat_date = :day"),
            {"unit": VILLAGES[0], "day": FRIDAY},
        ).one()
    assert (row.due_at, row.cutoff_at, row.status) == (DUE, CUTOFF, "late")


def test_nobody_is_missing_before_the_cut_off_of_their_own_calendar(site: DivisionsSite) -> None:
    before = DUE - timedelta(days=1)
    expect_units(site.engine, site.catalog, "daily", FRIDAY)
    with site.engine.begin() as conn:
        conn.execute(sa.text("UPDATE core.expected_day SET known_from = :at"), {"at": before})
        conn.execute(sa.text("UPDATE core.division_period SET known_from = '-infinity'"))
    saturday = datetime(2026, 3, 7, 2, tzinfo=UTC)
    assert status_at(site, saturday)[COUNTY].status is None
    after = status_at(site, saturday + SECOND)
    assert (after[COUNTY].status, after[TOWN].status) == ("missing", None)
    assert status_at(site, CUTOFF)[TOWN].status is None
    assert status_at(site, CUTOFF + SECOND)[TOWN].status == "missing"


def test_who_owes_nothing_is_not_expected_even_when_it_reports(site: DivisionsSite) -> None:
    site.send(TOWN, SUNDAY, DUE, FIGURES, platform="town")
    site.roll_up(SUNDAY)
    found = status_at(site, "now", SUNDAY)
    assert found[TOWN].status == found[OTHER].status == "not_expected"
    assert (found[TOWN].is_expected, found[TOWN].due_at) == (False, None)
    assert (found[TOWN].received_at, found[OTHER].received_at) == (DUE, None)
    assert found[COUNTY].status == "missing", "a county's centre reports on Sundays too"
    assert rates(site, SUNDAY) == {CITY: (1, 0, 0, 0, 1, 0), COUNTY: (1, 0, 0, 0, 1, 0)}
    reported = site.values(
        "SELECT DISTINCT division_code, units_reported FROM mart.daily_statistics WHERE stat_date = :day",
        day=SUNDAY,
    )
    assert reported[CITY] == 1


@pytest.mark.parametrize(("day", "is_excused"), [(9, False), (10, True), (11, True), (12, False)])
def test_an_exception_excuses_a_division_and_all_below_it(
    site: DivisionsSite, day: int, is_excused: bool
) -> None:
    site.roll_up(date(2026, 3, day))
    found = status_at(site, "now", date(2026, 3, day))
    for unit in (TOWN, *VILLAGES):
        assert found[unit].status == ("not_expected" if is_excused else "missing")
    assert found[OTHER].status == found[COUNTY].status == "missing"
    assert rates(site, date(2026, 3, day))[CITY][0] == (2 if is_excused else 7)


def test_the_first_arrival_judges_and_a_later_revision_is_a_restatement(site: DivisionsSite) -> None:
    site.send(TOWN, FRIDAY, DUE, FIGURES, platform="town", revision=1)
    site.roll_up(FRIDAY)
    assert status_at(site, "now")[TOWN].is_restated is False
    site.send(TOWN, FRIDAY, DUE + timedelta(days=9), {}, platform="town", revision=2)
    site.roll_up(FRIDAY)
    row = status_at(site, "now")[TOWN]
    assert (row.status, row.received_at, row.revision, row.is_nil) == ("on_time", DUE, 2, True)
    assert row.is_restated is True
    assert rates(site, FRIDAY)[TOWN][:3] == (5, 1, 1)


@pytest.mark.parametrize(("seconds", "is_restated"), [(0, False), (1, True)])
def test_completing_a_provisional_day_until_the_next_mornings_cut_off_restates_nothing(
    site: DivisionsSite, seconds: int, is_restated: bool
) -> None:
    next_morning = datetime(2026, 3, 7, 2, tzinfo=UTC)
    site.send(COUNTY, FRIDAY, DUE, FIGURES, platform="county", revision=1)
    completed = next_morning + timedelta(seconds=seconds)
    site.send(COUNTY, FRIDAY, completed, FIGURES, platform="county", revision=2)
    site.roll_up(FRIDAY)
    row = status_at(site, "now")[COUNTY]
    assert (row.status, row.is_restated) == ("on_time", is_restated)


def test_a_unit_that_owes_two_platforms_is_partial_until_both_delivered(site: DivisionsSite) -> None:
    site.send(COUNTY, FRIDAY, DUE + SECOND, FIGURES, platform="county")
    site.roll_up(FRIDAY)
    row = status_at(site, "now")[COUNTY]
    assert (row.status, row.is_partial) == ("late", True)
    site.send(COUNTY, FRIDAY, DUE, {}, platform="hotline")
    row = status_at(site, "now")[COUNTY]
    assert (row.status, row.is_partial, row.is_nil) == ("on_time", False, False)
    assert status_at(site, "now")[TOWN].is_partial is False, "what is missing is not partial"


def test_a_submission_without_a_required_measure_is_partial_and_a_nil_report_is_whole(
    site: DivisionsSite,
) -> None:
    with site.engine.begin() as conn:
        conn.execute(sa.text("UPDATE core.measure SET is_required = measure = 'dispute_found'"))
    site.send(VILLAGES[0], FRIDAY, DUE, FIGURES, platform="village")
    site.send(VILLAGES[1], FRIDAY, DUE, {("dispute_found", "network"): 0}, platform="village")
    site.send(VILLAGES[2], FRIDAY, DUE, {}, platform="village")
    site.roll_up(FRIDAY)
    found = status_at(site, "now")
    assert [found[unit].is_partial for unit in VILLAGES] == [True, False, False, False]


def test_what_is_withdrawn_was_not_received(site: DivisionsSite) -> None:
    site.send(TOWN, FRIDAY, DUE, FIGURES, platform="town", revision=1)
    site.send(TOWN, FRIDAY, DUE + SECOND, None, platform="town", revision=2)
    site.roll_up(FRIDAY)
    row = status_at(site, "now")[TOWN]
    assert (row.status, row.received_at, row.revision) == ("missing", None, None)
    assert rates(site, FRIDAY)[CITY] == (7, 0, 0, 0, 7, 0)


def hold(site: DivisionsSite, unit: str, day: date, at: datetime) -> None:
    with site.engine.begin() as conn:
        conn.execute(
            sa.text(
                "WITH batch AS (INSERT INTO landing.batch (platform_id, dataset, stat_date, source_name, sha256,"
                " pulled_at, state) SELECT platform_id, 'daily', :day, 'x', repeat('b', 64), :at, 'loaded'"
                " FROM core.platform WHERE platform = 'village' RETURNING batch_id)"
                " INSERT INTO quality.quarantine (batch_id, row_number, place, unit_code, stat_date, reason_code,"
                " reason, reason_en, raw) SELECT batch_id, 1, '', :unit, :day, 'value', '', '', '{}' FROM batch"
            ),
            {"unit": unit, "day": day, "at": at},
        )


def test_a_unit_all_of_whose_rows_are_held_back_is_rejected_until_it_is_let_in(site: DivisionsSite) -> None:
    hold(site, VILLAGES[0], FRIDAY, DUE)
    site.roll_up(FRIDAY)
    assert status_at(site, "now")[VILLAGES[0]].status == "rejected"
    assert rates(site, FRIDAY)[TOWN] == (5, 0, 0, 0, 4, 1)
    later = DUE + timedelta(days=3, seconds=1)
    site.send(VILLAGES[0], FRIDAY, DUE + timedelta(hours=1), FIGURES, platform="village", known_from=later)
    site.roll_up(FRIDAY)
    assert status_at(site, "now")[VILLAGES[0]].status == "late", (
        "judged by when it came, not by when it was let in"
    )
    assert rates(site, FRIDAY)[TOWN] == (5, 1, 0, 1, 4, 0)


def test_a_partial_roll_up_counts_as_a_whole_one(site: DivisionsSite) -> None:
    site.send(VILLAGES[0], FRIDAY, DUE, FIGURES, platform="village")
    site.roll_up(FRIDAY)
    site.send(VILLAGES[1], FRIDAY, CUTOFF, {}, platform="village")
    site.send(COUNTY, FRIDAY, CUTOFF, FIGURES, platform="county")
    hold(site, VILLAGES[2], FRIDAY, DUE)
    with site.engine.begin() as conn:
        conn.execute(
            sa.text(
                "UPDATE mart.daily_rollup SET units_waiting = ARRAY(SELECT division_id FROM core.division"
                " WHERE division_code = ANY(:units))"
            ),
            {"units": [*VILLAGES[1:3], COUNTY]},
        )
    query = "SELECT * FROM mart.daily_reporting ORDER BY division_id"
    roll_up_day(site.engine, site.catalog, FRIDAY, whole=False)
    partial = site.frame(query)
    site.roll_up(FRIDAY)
    assert partial.equals(site.frame(query))
    assert rates(site, FRIDAY)[CITY] == (7, 3, 1, 1, 3, 1), "the county came after its own cut-off"
    nil = site.values(
        "SELECT division_code, nil_levels FROM mart.daily_reporting JOIN core.division USING (division_id)"
    )
    assert (nil[CITY], nil[TOWN], nil[VILLAGES[1]], nil[VILLAGES[0]], nil[OTHER]) == (32, 32, 32, 0, 0)


def test_rates_count_the_statuses_of_the_units(site: DivisionsSite) -> None:
    arrivals = {TOWN: DUE, OTHER: CUTOFF, VILLAGES[0]: CUTOFF + SECOND}
    for unit, at in arrivals.items():
        site.send(unit, FRIDAY, at, FIGURES, platform="village" if unit in VILLAGES else "town")
    hold(site, VILLAGES[1], FRIDAY, DUE)
    site.roll_up(FRIDAY)
    counts: dict[str, int] = {}
    for row in status_at(site, "now").values():
        counts[row.status] = counts.get(row.status, 0) + 1
    assert counts == {"on_time": 1, "late": 1, "late_after_cutoff": 1, "rejected": 1, "missing": 3}
    (row,) = site.frame(
        "SELECT * FROM mart.reporting_rate WHERE division_code = :city AND stat_date = :day",
        city=CITY,
        day=FRIDAY,
    ).itertuples()
    assert (row.expected, row.received, row.on_time, row.late, row.late_after_cutoff) == (7, 3, 1, 1, 1)
    assert (row.missing, row.rejected) == (3, 1)
    assert float(row.reporting_rate) == pytest.approx(3 / 7, abs=1e-12)
    assert float(row.on_time_rate) == pytest.approx(1 / 7, abs=1e-12)


def test_as_of_shows_the_status_as_it_was_known(site: DivisionsSite) -> None:
    site.roll_up(FRIDAY)
    with site.engine.begin() as conn:
        conn.execute(sa.text("UPDATE core.expected_day SET known_from = :at"), {"at": DUE})
        conn.execute(sa.text("UPDATE core.division_period SET known_from = '-infinity'"))
    pulled = CUTOFF + timedelta(hours=3)
    site.send(TOWN, FRIDAY, DUE, FIGURES, platform="town", known_from=pulled)
    assert status_at(site, CUTOFF + SECOND)[TOWN].status == "missing", "nobody knew of it yet"
    assert status_at(site, pulled)[TOWN].status == "on_time"


def test_month_end_figures_have_statuses_and_rates_of_their_own(site: DivisionsSite) -> None:
    month_end = date(2026, 2, 28)
    due, cutoff = datetime(2026, 3, 6, 10, tzinfo=UTC), datetime(2026, 3, 9, 2, tzinfo=UTC)
    site.send(TOWN, month_end, due, {("population", "all"): 9000}, platform="stock", dataset="stocks")
    site.send(COUNTY, month_end, due + SECOND, {}, platform="county", dataset="stocks")
    expect_units(site.engine, site.catalog, "stocks", month_end)
    expect_units(site.engine, site.catalog, "stocks", month_end)
    found = status_at(site, "now", month_end, dataset="stocks")
    assert {unit: row.status for unit, row in found.items()} == {
        TOWN: "on_time", COUNTY: "late", OTHER: "missing",
    }  # fmt: skip
    assert {(row.due_at, row.cutoff_at) for row in found.values()} == {(due, cutoff)}
    assert rates(site, month_end, "stocks") == {
        CITY: (3, 2, 1, 1, 1, 0), COUNTY: (3, 2, 1, 1, 1, 0), TOWN: (1, 1, 1, 0, 0, 0), OTHER: (1, 0, 0, 0, 1, 0),
    }  # fmt: skip
    assert rates(site, month_end) == {}, "the daily figures of that day are another thing"
    site.roll_up(month_end)
    site.frame("SELECT * FROM mart.daily_statistics_as_of('infinity', :day)", day=month_end)
    assert rates(site, month_end, "stocks")[CITY] == (3, 2, 1, 1, 1, 0)
    assert rates(site, month_end)[CITY][0] == 7


def test_a_unit_closed_in_mid_month_is_expected_until_it_closes(site: DivisionsSite) -> None:
    site.load(DIVISIONS.replace("371302001004,丁村委会,village,371302001000", ""), date(2026, 3, 9))
    for day in (FRIDAY, date(2026, 3, 9)):
        site.roll_up(day)
    assert VILLAGES[3] in status_at(site, "now", FRIDAY)
    assert VILLAGES[3] not in status_at(site, "now", date(2026, 3, 9))
    assert (rates(site, FRIDAY)[CITY][0], rates(site, date(2026, 3, 9))[CITY][0]) == (7, 6)


def test_the_days_units_are_shown_and_counted_anew_without_difference(site: DivisionsSite) -> None:
    site.send(TOWN, FRIDAY, DUE, FIGURES, platform="town")
    site.roll_up(FRIDAY)
    differing = site.frame(
        "SELECT * FROM mart.daily_statistics WHERE stat_date = :day"
        " EXCEPT SELECT * FROM mart.daily_statistics_as_of('infinity', :day)",
        day=FRIDAY,
    )
    assert differing.empty
