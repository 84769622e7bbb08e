"""Months, quarters and years: sums of their days, exact through nil reports, silence, mergers and restated days."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from etl.periods import Period, periods_touched
from etl.periods.totals import total_period
from etl.warehouse import ServerAddress
from tests.integration.divisions_site import DivisionsSite, divisions_site

pytestmark = pytest.mark.integration
CITY, COUNTY, TOWN, OTHER = "371300000000", "371302000000", "371302001000", "371302002000"
A, B, C = "371302001001", "371302001002", "371302002003"
UPPER = f"""
    {CITY},临沂市,city,
    {COUNTY},兰山区,county,{CITY}
    {TOWN},兰山街道,township,{COUNTY}
    {OTHER},银雀山街道,township,{COUNTY}
    {A},甲村委会,village,{TOWN}
    {C},丙村委会,village,{OTHER}
"""
EVERYBODY = UPPER + f"{B},乙村委会,village,{TOWN}\n"
UNITS = [CITY, COUNTY, TOWN, OTHER, A, B, C]
PHYSICAL, HOTLINE, NETWORK = (("consultation", name) for name in ("physical", "hotline", "network"))


@pytest.fixture
def site(server: ServerAddress, tmp_path: Path) -> Iterator[DivisionsSite]:
    with divisions_site(server, tmp_path, CITY) as made:
        made.load(EVERYBODY)
        yield made


def days_of(*names: str) -> list[date]:
    periods = [Period.parse(name) for name in names]
    return [each.starts_on + timedelta(days=n) for each in periods for n in range(each.days)]


def report(site: DivisionsSite, day: date, figures: dict[str, dict[tuple[str, str], int]]) -> None:
    site.submit(day, figures)
    site.roll_up(day)


def total(site: DivisionsSite, *days: date) -> None:
    for period in periods_touched(list(days)):
        total_period(site.engine, site.catalog, period)


def read(
    site: DivisionsSite, period: str, measure: str = "consultation", channel: str = "all"
) -> dict[str, Any]:
    rows = site.frame(
        "SELECT * FROM mart.period_statistics WHERE period = :period AND measure = :measure AND channel = :channel",
        period=period,
        measure=measure,
        channel=channel,
    )
    found = {row.division_code: row for row in rows.itertuples()}
    assert len(found) == len(rows)
    return found


def values(site: DivisionsSite, period: str, column: str = "value", **of: str) -> dict[str, Any]:
    return {
        code: None if pd.isna(getattr(row, column)) else getattr(row, column)
        for code, row in read(site, period, **of).items()
    }


def everything(site: DivisionsSite) -> dict[str, pd.DataFrame]:
    return {
        table: site.frame(
            f"SELECT period, {table}.* FROM mart.{table} JOIN mart.period USING (period_id) ORDER BY 1, 2, 3, 4"
        )
        for table in ("period_own", "period_total", "period_reporting")
    }


def whole_month(site: DivisionsSite, month: str, value: int) -> None:
    """Every unit reports every day: `value` consultations on the first day, nil on the others."""
    for number, day in enumerate(days_of(month)):
        report(site, day, {unit: {PHYSICAL: value} if number == 0 else {} for unit in UNITS})
    total(site, Period.parse(month).starts_on)


def test_every_total_equals_an_independent_sum_over_the_facts(site: DivisionsSite) -> None:
    rng = random.Random(20260301)
    parent = {COUNTY: CITY, TOWN: COUNTY, OTHER: COUNTY, A: TOWN, B: TOWN, C: OTHER, CITY: None}
    pairs = [PHYSICAL, HOTLINE, NETWORK, ("dispute_found", "physical"), ("aware", "hotline")]
    days = sorted(rng.sample(days_of("2026-01", "2026-02", "2026-04"), 8))
    sums: dict[tuple[str, str, str, str], int] = defaultdict(int)
    for day in days:
        figures = {
            unit: {pair: rng.randrange(50) for pair in pairs if rng.random() < 0.6}
            for unit in UNITS
            if rng.random() < 0.8
        }
        report(site, day, figures)
        names = [f"{day:%Y-%m}", f"{day:%Y}Q{(day.month + 2) // 3}", f"{day:%Y}"]
        for unit, cells in figures.items():
            for (measure, channel), value in cells.items():
                above: str | None = unit
                while above is not None:
                    for name in names:
                        for key in (channel, "all"):
                            sums[above, name, measure, key] += value
                    above = parent[above]
    total(site, *days)
    rows = site.frame("SELECT * FROM mart.period_statistics WHERE value IS NOT NULL")
    found = {(r.division_code, r.period, r.measure, r.channel): r.value for r in rows.itertuples()}
    silent = {
        key for key in found.keys() - sums.keys() if found[key] == 0 and key[2:] == ("consultation", "all")
    }
    assert {key: value for key, value in found.items() if key not in silent} == dict(sums)
    assert len(sums) > 200
    own = site.frame("SELECT period, value FROM mart.period_own JOIN mart.period USING (period_id)")
    assert own[own["period"] == "2026"]["value"].sum() == sum(
        value for key, value in sums.items() if key[0] == CITY and key[1] == "2026" and key[3] == "all"
    )


def test_totalling_again_changes_nothing(site: DivisionsSite) -> None:
    report(site, date(2026, 3, 2), {unit: {PHYSICAL: 3, NETWORK: 1} for unit in UNITS})
    total(site, date(2026, 3, 2))
    before = everything(site)
    total(site, date(2026, 3, 2))
    after = everything(site)
    assert all(before[table].equals(after[table]) and len(before[table]) > 5 for table in before)


def test_a_restated_day_changes_exactly_the_periods_it_touches(site: DivisionsSite) -> None:
    days = [date(2026, 2, 10), date(2026, 3, 2), date(2026, 5, 4), date(2025, 12, 31)]
    for day in days:
        report(site, day, {A: {PHYSICAL: 5}, B: {PHYSICAL: 2}})
    total(site, *days)
    before = everything(site)["period_total"]
    site.send(A, date(2026, 3, 2), datetime(2026, 3, 9, tzinfo=UTC), {PHYSICAL: 8}, revision=2)
    site.roll_up(date(2026, 3, 2))
    total(site, date(2026, 3, 2))
    after = everything(site)["period_total"]
    both = before.merge(after, on=["period", "division_id", "cell_id"], how="outer", suffixes=("", "_after"))
    changed = set(both[both["value"] != both["value_after"]]["period"])
    assert changed == {"2026-03", "2026Q1", "2026", "2026-03/to_date", "2026-05/to_date"}
    assert values(site, "2026")[CITY] == 24
    assert values(site, "2026Q1", "ytd")[CITY] == 17


def test_nil_gives_zero_and_silence_gives_null(site: DivisionsSite) -> None:
    report(site, date(2026, 3, 2), {A: {PHYSICAL: 5}, B: {}})
    total(site, date(2026, 3, 2))
    assert values(site, "2026-03") == {CITY: 5, COUNTY: 5, TOWN: 5, OTHER: None, A: 5, B: 0, C: None}
    row = read(site, "2026-03")[TOWN]
    assert (row.expected, row.received, row.is_provisional) == (3, 2, True)


def test_months_are_compared_once_both_are_whole(site: DivisionsSite) -> None:
    whole_month(site, "2026-01", 4)
    whole_month(site, "2026-02", 5)
    row = read(site, "2026-02")[CITY]
    assert (row.value, row.value_previous, row.is_provisional) == (35, 28, False)
    assert float(row.mom) == pytest.approx(0.25, abs=1e-12)
    assert row.yoy is None
    assert row.ytd == 63
    assert values(site, "2026-02", channel="physical")[A] == 5
    assert read(site, "2026-01")[A].mom is None, "nothing to compare with"


def test_a_base_of_nil_reports_is_zero_and_divides_nothing(site: DivisionsSite) -> None:
    for day in days_of("2026-01"):
        report(site, day, {unit: {} for unit in UNITS})
    total(site, date(2026, 1, 1))
    whole_month(site, "2026-02", 5)
    row = read(site, "2026-02")[CITY]
    assert (row.value, row.value_previous, row.mom) == (35, 0, None)


def test_a_leap_year_is_compared_with_the_year_before_it(site: DivisionsSite) -> None:
    whole_month(site, "2027-02", 4)
    whole_month(site, "2028-02", 6)
    assert len(days_of("2028-02")) == 29
    row = read(site, "2028-02")[CITY]
    assert (row.value, row.value_last_year, row.is_provisional) == (42, 28, False)
    assert float(row.yoy) == pytest.approx(0.5, abs=1e-12)
    assert row.expected == 29 * len(UNITS)


def test_a_quarter_with_one_month_missing_is_provisional_and_not_compared(site: DivisionsSite) -> None:
    for month in ("2025-10", "2025-11", "2025-12", "2026-01", "2026-03"):
        whole_month(site, month, 2)
    assert read(site, "2025Q4")[CITY].is_provisional is False
    row = read(site, "2026Q1")[CITY]
    assert (row.value, row.value_previous) == (28, 42)
    assert (row.is_provisional, row.mom) == (True, None)
    whole_month(site, "2026-02", 2)
    row = read(site, "2026Q1")[CITY]
    assert (row.is_provisional, float(row.mom)) == (False, 0.0)


@pytest.mark.parametrize(("silent", "is_provisional"), [(21, False), (22, True)])
def test_below_the_declared_share_of_reports_a_month_is_provisional(
    site: DivisionsSite, silent: int, is_provisional: bool
) -> None:
    days = days_of("2026-04")
    assert len(days) * len(UNITS) == 210
    for number, day in enumerate(days):
        report(site, day, {unit: {} for unit in UNITS if not (unit == A and number < silent)})
    total(site, days[0])
    assert read(site, "2026-04")[CITY].is_provisional is is_provisional
    assert read(site, "2026-04")[A].is_provisional is True
    assert read(site, "2026-04")[B].is_provisional is False


def test_the_year_to_date_grows_month_by_month(site: DivisionsSite) -> None:
    for number, month in enumerate(("2026-01", "2026-02", "2026-04"), start=1):
        report(site, Period.parse(month).starts_on, {A: {PHYSICAL: number}})
        total(site, Period.parse(month).starts_on)
    ytd = {period: values(site, period, "ytd")[CITY] for period in ("2026-01", "2026-02", "2026-04", "2026")}
    assert ytd == {"2026-01": 1, "2026-02": 3, "2026-04": 6, "2026": 6}
    names = site.frame("SELECT period FROM mart.period WHERE totalled_at IS NOT NULL AND kind = 'to_date'")
    assert set(names["period"]) == {"2026-01/to_date", "2026-02/to_date", "2026-04/to_date"}


def test_a_merger_in_mid_year_keeps_every_total_and_compares_on_todays_divisions(site: DivisionsSite) -> None:
    for day in (date(2025, 5, 6), date(2026, 5, 6)):
        report(site, day, {A: {PHYSICAL: 3}, B: {PHYSICAL: 4}, C: {HOTLINE: 9}, TOWN: {PHYSICAL: 1}})
    site.load(UPPER, date(2026, 6, 1), mapping=f"merged,{B},{A},,并入")
    report(site, date(2026, 6, 2), {A: {PHYSICAL: 10}, C: {HOTLINE: 2}})
    total(site, date(2025, 5, 6), date(2026, 5, 6), date(2026, 6, 2))
    year = values(site, "2026")
    assert year == {CITY: 29, COUNTY: 29, TOWN: 18, OTHER: 11, A: 13, B: 4, C: 11}
    compared = site.frame("SELECT * FROM mart.period_comparison('2026', '2025') WHERE channel = 'all'")
    found = {
        row.division_code: tuple(None if pd.isna(each) else int(each) for each in row[4:])
        for row in compared[compared["measure"] == "consultation"].itertuples()
    }
    # value, value_base, both of the units that reported in both years, the base on the divisions of the year's end
    assert found[A] == (13, 3, 13, 3, 7)
    assert found[B] == (4, 4, None, None, None)
    assert found[TOWN] == (18, 8, 14, 4, 8)
    assert found[CITY] == (29, 17, 25, 13, 17)


def test_a_split_shares_the_base_out_in_whole_numbers(site: DivisionsSite) -> None:
    report(site, date(2025, 5, 6), {A: {PHYSICAL: 7}})
    site.load(EVERYBODY.replace(f"{A},甲村委会,village,{TOWN}\n", f"{B[:-1]}9,新村委会,village,{OTHER}\n"),
              date(2026, 6, 1), mapping=f"split,{A},{B},0.5,\nsplit,{A},{B[:-1]}9,0.5,")  # fmt: skip
    report(site, date(2026, 6, 2), {B: {PHYSICAL: 1}})
    total(site, date(2025, 5, 6), date(2026, 6, 2))
    compared = site.values(
        "SELECT division_code, base_on_todays_divisions FROM mart.period_comparison('2026-06', '2025-05')"
        " WHERE channel = 'all' AND measure = 'consultation' AND base_on_todays_divisions IS NOT NULL"
    )
    assert compared[CITY] == 7
    assert sorted((compared[B], compared[f"{B[:-1]}9"])) == [3, 4]


def test_a_comparison_names_what_it_lacks(site: DivisionsSite) -> None:
    report(site, date(2026, 5, 6), {A: {PHYSICAL: 7}})
    total(site, date(2026, 5, 6))
    with pytest.raises(sa.exc.DatabaseError, match="no totals of 2025"):
        site.frame("SELECT * FROM mart.period_comparison('2026', '2025')")


def test_a_division_that_gets_its_first_village_in_mid_month_keeps_its_earlier_days(
    site: DivisionsSite,
) -> None:
    site.load(EVERYBODY + "371302003000,新街道,township,371302000000\n", date(2026, 3, 1))
    new, village = "371302003000", "371302003001"
    report(
        site,
        date(2026, 3, 2),
        {new: {PHYSICAL: 5, ("survey_answered", "physical"): 2, ("aware", "physical"): 1}},
    )
    site.load(
        EVERYBODY + f"{new},新街道,township,{COUNTY}\n{village},新村委会,village,{new}\n", date(2026, 3, 16)
    )
    report(site, date(2026, 3, 17), {new: {PHYSICAL: 1}, village: {PHYSICAL: 7}})
    total(site, date(2026, 3, 2))
    for period in ("2026-03", "2026Q1"):
        assert values(site, period)[new] == 13
        assert values(site, period)[COUNTY] == 13
    assert carried(site, "2026-03")[new] == 2


def carried(
    site: DivisionsSite, period: str, table: str = "period_total", key: str = "division_id"
) -> dict[str, int]:
    return site.values(
        f"SELECT division_code, value FROM mart.{table} JOIN mart.period USING (period_id)"
        f" JOIN core.division ON division.division_id = {table}.{key} JOIN core.cell_name USING (cell_id)"
        " WHERE period = :period AND measure = 'answered_on_aware' AND channel = CASE :level WHEN 'own' THEN 'hotline'"
        " ELSE 'all' END",
        period=period,
        level="own" if table == "period_own" else "",
    )


def test_what_awareness_is_divided_by_sums_only_the_answers_that_carry_it(site: DivisionsSite) -> None:
    answered, aware = ("survey_answered", "hotline"), ("aware", "hotline")
    day = date(2026, 3, 2)
    report(site, day, {A: {answered: 10, aware: 0}, B: {answered: 7}, C: {answered: 5, ("aware", "network"): 1},
                       TOWN: {answered: 3, aware: 2}})  # fmt: skip
    report(site, day + timedelta(days=1), {A: {answered: 1, aware: 1}})
    total(site, day)
    assert carried(site, "2026-03") == {CITY: 14, COUNTY: 14, TOWN: 13 + 1}
    assert carried(site, "2026-03", "period_own", "unit_id") == {A: 11, TOWN: 3}
    daily = site.values(
        "SELECT division_code, value FROM mart.daily_total JOIN core.division USING (division_id)"
        " JOIN core.cell_name USING (cell_id) WHERE measure = 'answered_on_aware' AND channel = 'all'"
        " AND stat_date = '2026-03-02'"
    )
    assert daily == {CITY: 13, COUNTY: 13, TOWN: 13}
    for view in ("mart.daily_statistics", "mart.period_statistics"):
        shown = site.frame(f"SELECT DISTINCT measure FROM {view}")
        assert "survey_answered" in set(shown["measure"])
        assert not [name for name in shown["measure"] if name.startswith("answered_on")]
    anew = site.frame(
        "SELECT * FROM mart.daily_statistics WHERE stat_date = '2026-03-02'"
        " EXCEPT SELECT * FROM mart.daily_statistics_as_of('infinity', '2026-03-02')"
    )
    assert anew.empty


def test_a_closed_month_keeps_its_totals(site: DivisionsSite) -> None:
    day = date(2026, 3, 2)
    report(site, day, {A: {PHYSICAL: 5}})
    total(site, day)
    with site.engine.begin() as conn:
        conn.execute(
            sa.text(
                "INSERT INTO core.period_event (month, action, decided_by, reason, decided_at)"
                " VALUES ('2026-03-01', 'closed', '王', '封账', now())"
            )
        )
    with site.engine.begin() as conn:
        conn.execute(sa.text("UPDATE mart.daily_total SET value = value + 1"))
    total(site, day)
    assert values(site, "2026-03")[CITY] == values(site, "2026")[CITY] == 5


def test_reporting_rates_of_a_period_count_units_once_for_each_day(site: DivisionsSite) -> None:
    report(site, date(2026, 3, 2), {A: {PHYSICAL: 5}, TOWN: {}})
    report(site, date(2026, 3, 3), {A: {}})
    total(site, date(2026, 3, 2))
    rows = site.frame("SELECT * FROM mart.reporting_rate WHERE period = '2026-03' AND dataset = 'daily'")
    found = {row.division_code: row for row in rows.itertuples()}
    assert (found[CITY].expected, found[CITY].received, found[CITY].missing) == (14, 3, 11)
    assert (found[A].expected, found[A].received, found[A].on_time) == (2, 2, 2)
    assert found[CITY].stat_date is None
    assert set(site.frame("SELECT period FROM mart.reporting_rate")["period"]) == {
        "2026-03-02", "2026-03-03", "2026-03", "2026Q1", "2026",
    }  # fmt: skip


def test_stocks_show_the_last_month_and_never_a_year_to_date(site: DivisionsSite) -> None:
    whole_month(site, "2026-02", 1)
    whole_month(site, "2026-03", 1)
    cell = site.cells["population", "all"]
    with site.engine.begin() as conn:
        for month_end, people, reported in (
            ("2026-02-28", 900, 2),
            ("2026-03-31", 990, 2),
            ("2025-03-31", 800, 1),
        ):
            conn.execute(
                sa.text(
                    "INSERT INTO mart.stock_total SELECT :day, division_id, :cell, :value, 2, :reported, NULL"
                    " FROM core.division WHERE division_code = :city"
                ),
                {"day": month_end, "cell": cell, "value": people, "reported": reported, "city": CITY},
            )
    for period in ("2026-03", "2026Q1"):
        row = read(site, period, "population")[CITY]
        assert (row.value, row.ytd, row.is_provisional) == (990, None, False)
        assert (row.value_last_year, row.yoy) == (800, None), "half of the base is missing"
    assert float(read(site, "2026-03", "population")[CITY].mom) == pytest.approx(0.1, abs=1e-12)
    assert values(site, "2026", "value", measure="population") == {}, "the year's last month has none"
