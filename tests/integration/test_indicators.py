"""Indicators: an example worked by hand for every kind of formula, and what is said where there is no figure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from etl.catalog import load_catalog
from etl.cli import main
from etl.indicators import explain_indicator
from etl.indicators.explain import IndicatorUnexplained
from etl.periods.period import Period
from etl.register import register_catalog
from etl.warehouse import ServerAddress
from tests.integration.indicator_site import (
    CITY,
    COUNTY,
    COUNTY2,
    PROVINCE,
    TOWN,
    TOWN2,
    TOWN3,
    TREE,
    VILLAGE,
    VILLAGE2,
    VILLAGE3,
    VILLAGE4,
    Facts,
    IndicatorSite,
    indicator_site,
)

pytestmark = pytest.mark.integration
MARCH = Period.parse("2026-03")
DEFENCE = "sd_defence_assigned"
PHYSICAL = "physical"
REPORTS = {COUNTY: (31, 31, 31), COUNTY2: (31, 31, 31)}


@pytest.fixture(scope="module")
def shared(server: ServerAddress, tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndicatorSite]:
    with indicator_site(server, tmp_path_factory.mktemp("indicators")) as made:
        yield made


@pytest.fixture
def site(shared: IndicatorSite) -> IndicatorSite:
    """A warehouse without facts; divisions and catalogue stay as they are."""
    shared.clear()
    return shared


@pytest.fixture
def fresh(server: ServerAddress, tmp_path: Path) -> Iterator[IndicatorSite]:
    """A warehouse of its own, to change divisions or catalogue in."""
    with indicator_site(server, tmp_path) as made:
        yield made


def defences(assigned: int, notified: int, reports: tuple[int, int, int] = (31, 31, 31)) -> Facts:
    flows = {("defence_assigned", PHYSICAL): assigned, ("defence_notified", PHYSICAL): notified}
    return Facts(flows={COUNTY: flows}, reports={COUNTY: reports})


def volume(accepted: int, reports: tuple[int, int, int] = (31, 31, 31)) -> Facts:
    return Facts(flows={COUNTY: {("legal_aid_accepted", PHYSICAL): accepted}}, reports={COUNTY: reports})


def missing(value: object) -> bool:
    return bool(pd.isna(value))  # type: ignore[call-overload]


def close(value: Decimal, exact: Fraction) -> bool:
    return abs(Fraction(value) - exact) <= Fraction(1, 10**12) * abs(exact)


# --- every kind of formula, worked by hand ------------------------------------------------------------------------


def test_a_ratio_of_flows_sums_first_and_divides_last(site: IndicatorSite) -> None:
    # Two counties: 8 of 9 and 1 of 1 assigned. The city has 9 of 10, not the mean of 8/9 and 1/1.
    facts = defences(8, 9)
    facts.flows[COUNTY2] = {("defence_assigned", "network"): 1, ("defence_notified", "network"): 1}
    site.put(MARCH, facts)
    site.compute("2026-03")
    city = site.row("2026-03", DEFENCE, CITY)
    assert (city.numerator, city.denominator, city.value) == (9, 10, Decimal("0.9"))
    assert (city.target, city.attainment, city.gap, city.status) == (
        1,
        Decimal("0.9"),
        Decimal("-0.1"),
        "not_met",
    )
    county2 = site.row("2026-03", DEFENCE, COUNTY2)
    assert (county2.value, county2.attainment, county2.gap, county2.status) == (1, 1, 0, "met")
    assert (city.nature, city.source, city.unit, city.indicator_name) == (
        "expected", "SD-2025", "%", "通知辩护法律援助案件指派率",
    )  # fmt: skip


def test_per_hundred_thousand_people_is_scaled_to_a_year_and_says_so(site: IndicatorSite) -> None:
    # 26 cases in the 31 days of March, 100,000 + 50,000 people: 26 / 150,000 × 100,000 × 365 / 31 = 204.086…
    facts = Facts(
        flows={
            COUNTY: {("legal_aid_accepted", PHYSICAL): 20},
            COUNTY2: {("legal_aid_accepted", "hotline"): 6},
        },
        stocks={TOWN: {"population": 60_000}, TOWN2: {"population": 40_000}, TOWN3: {"population": 50_000}},
        reports=REPORTS,
    )
    site.put(MARCH, facts)
    site.compute("2026-03")
    row = site.row("2026-03", "sd_legal_aid")
    assert (row.numerator, row.denominator) == (26, 150_000)
    assert close(row.value, Fraction(26 * 100_000 * 365, 150_000 * 31))
    assert row.note_zh == "由31天折算为全年"
    assert row.target == 260
    assert row.status == "not_met"


def test_a_leap_year_has_366_days_and_its_february_29(site: IndicatorSite) -> None:
    # 29 cases in 29 days are 366 in a leap year: 366 / 100,000 people. 2024-02-29 is in the roll-ups and in the year.
    people = {TOWN: {"population": 60_000}, TOWN2: {"population": 40_000}}
    facts = Facts(flows={COUNTY: {("legal_aid_accepted", PHYSICAL): 29}}, stocks=people, reports=REPORTS)
    site.put(Period.parse("2024-02"), facts)
    site.put(Period.parse("2024"), facts)
    site.compute("2024-02", "2024")
    assert site.row("2024-02", "sd_legal_aid", COUNTY).value == 366
    year = site.row("2024", "sd_legal_aid", COUNTY)
    assert (year.value, missing(year.note_zh)) == (29, True)


def test_a_sum_per_ten_thousand_people_needs_every_part(site: IndicatorSite) -> None:
    # (30 + 5 + 4 + 11) / 100,000 × 10,000 = 5. The other county has not said how many notaries: no figure, not 4.5.
    whole = {"lawyer": 30, "notary": 5, "forensic_examiner": 4, "grassroots_worker": 11}
    partial = {name: count for name, count in whole.items() if name != "notary"}
    people = {TOWN: {"population": 100_000}, TOWN3: {"population": 100_000}}
    site.put(MARCH, Facts(stocks={COUNTY: whole, COUNTY2: partial, **people}))
    site.compute("2026-03")
    assert site.row("2026-03", "lyg_professionals", COUNTY).value == 5
    other = site.row("2026-03", "lyg_professionals", COUNTY2)
    assert missing(other.value)
    assert missing(other.numerator)
    assert other.status == "no_data"
    assert other.note_zh == "缺数据：律师、公证员、司法鉴定人、基层法律服务工作者"


def test_units_that_fulfil_a_condition_are_counted_by_their_own_level(site: IndicatorSite) -> None:
    # Of 2 counties and 3 townships, a county and two townships have built one. Villages' never enter.
    built = {"platform_built": 1}
    none = {"platform_built": 0}
    stocks = {
        COUNTY: built,
        COUNTY2: none,
        TOWN: built,
        TOWN2: none,
        TOWN3: built,
        VILLAGE: built,
        VILLAGE2: built,
    }
    site.put(MARCH, Facts(stocks=stocks))
    site.compute("2026-03")
    city = site.row("2026-03", "sd_platform_built", CITY)
    assert (city.numerator, city.denominator, city.value) == (3, 5, Decimal("0.6"))
    town = site.row("2026-03", "sd_platform_built", TOWN2)
    assert (town.numerator, town.denominator, town.value) == (0, 1, 0)
    four_levels = site.row("2026-03", "lyg_platform", COUNTY)
    assert (four_levels.numerator, four_levels.denominator) == (4, 6)


def test_both_conditions_must_hold_in_the_same_village(site: IndicatorSite) -> None:
    # 甲 has both, 乙 only the one, 丙 only the other, 丁 has not said all: 1 of 4.
    stocks = {
        VILLAGE: {"law_savvy_person": 2, "rule_of_law_leader": 1},
        VILLAGE2: {"law_savvy_person": 3, "rule_of_law_leader": 0},
        VILLAGE3: {"law_savvy_person": 0, "rule_of_law_leader": 4},
        VILLAGE4: {"law_savvy_person": 1},
    }
    site.put(MARCH, Facts(stocks=stocks))
    site.compute("2026-03")
    row = site.row("2026-03", "sd_law_savvy")
    assert (row.numerator, row.denominator, row.value) == (1, 4, Decimal("0.25"))
    three = site.row("2026-03", "ly_law_savvy")
    assert (three.numerator, three.value) == (1, Decimal("0.25"))
    alone = site.row("2026-03", "sd_law_savvy", TOWN3)
    assert (alone.status, missing(alone.numerator)) == ("no_data", True)


def test_a_count_over_a_count_divides_by_the_units_that_have_it(site: IndicatorSite) -> None:
    # 3 committees, 2 of them up to standard: 2 / 3, whatever the number of villages.
    yes, no = 1, 0
    stocks = {
        unit: {"mediation_committee": built, "mediation_committee_standardised": standard}
        for unit, built, standard in [
            (TOWN, yes, yes),
            (VILLAGE, yes, yes),
            (VILLAGE2, yes, no),
            (VILLAGE3, no, no),
        ]
    }
    site.put(MARCH, Facts(stocks=stocks))
    site.compute("2026-03")
    row = site.row("2026-03", "sd_mediation_standard")
    assert (row.numerator, row.denominator) == (2, 3)
    assert close(row.value, Fraction(2, 3))


def test_a_condition_on_a_flow_counts_villages_by_their_own_shifts_of_the_month(site: IndicatorSite) -> None:
    # 甲 2 shifts in two channels, 乙 nil, 丙 and 丁 nothing at all: 1 of 4. Nil is 0, not nothing.
    shifts = {("counsel_duty_shift", PHYSICAL): 1, ("counsel_duty_shift", "network"): 1}
    site.put(MARCH, Facts(flows={VILLAGE: shifts}, nil={VILLAGE2}, reports={VILLAGE: (22, 22, 22)}))
    site.compute("2026-03")
    row = site.row("2026-03", "suz_counsel_duty")
    assert (row.numerator, row.denominator, row.value) == (1, 4, Decimal("0.25"))
    assert site.row("2026-03", "suz_counsel_duty", VILLAGE).status == "met"
    assert site.row("2026-03", "suz_counsel_duty", VILLAGE2).value == 0
    assert site.row("2026-03", "suz_counsel_duty", VILLAGE3).status == "no_data"


def test_a_channel_share_is_of_all_services_and_parts_are_not_counted_twice(site: IndicatorSite) -> None:
    # Services: 30 + 10 consultations, 10 notarisations. On the spot and settled are parts of others. Network 10 of 50.
    flows = {
        ("consultation", PHYSICAL): 30,
        ("consultation", "network"): 10,
        ("consultation_on_the_spot", PHYSICAL): 25,
        ("notary_case", PHYSICAL): 10,
        ("mediation_settled", PHYSICAL): 7,
        ("complaint_received", "hotline"): 2,
    }
    site.put(MARCH, Facts(flows={COUNTY: flows}, stocks={TOWN: {"population": 20_000}}, reports=REPORTS))
    site.compute("2026-03")
    share = site.row("2026-03", "share_network")
    assert (share.numerator, share.denominator, share.value) == (10, 50, Decimal("0.2"))
    # 2 complaints over 50 services × 10,000 = 400; 50 services for 20,000 people × 10,000 = 25.
    assert site.row("2026-03", "suz_complaint").value == 400
    assert site.row("2026-03", "services_per_10000").value == 25


def test_reporting_rates_are_of_the_expected_submissions(site: IndicatorSite) -> None:
    # 31 + 22 + 22 expected, 31 + 20 + 11 received, 30 + 18 + 0 on time.
    reports = {COUNTY: (31, 31, 30), VILLAGE: (22, 20, 18), VILLAGE2: (22, 11, 0)}
    site.put(MARCH, Facts(reports=reports))
    site.compute("2026-03")
    row = site.row("2026-03", "reporting_rate")
    assert (row.numerator, row.denominator) == (62, 75)
    assert site.row("2026-03", "on_time_reporting_rate").numerator == 48
    assert site.row("2026-03", "reporting_rate", VILLAGE2).value == Decimal("0.5")
    assert site.row("2026-03", "reporting_rate", TOWN3).status == "not_applicable"


def test_an_amount_alone_is_the_sum_and_its_target_is_of_the_level_that_it_is_asked_of(
    site: IndicatorSite,
) -> None:
    site.put(MARCH, Facts(stocks={COUNTY: {"public_lawyer": 4000}, COUNTY2: {"public_lawyer": 1500}}))
    site.compute("2026-03")
    province = site.row("2026-03", "sd_public_lawyer")
    assert (province.value, province.target, province.attainment, province.gap) == (
        5500,
        5000,
        Decimal("1.1"),
        500,
    )
    assert (province.status, missing(province.denominator)) == ("met", True)
    county = site.row("2026-03", "sd_public_lawyer", COUNTY)
    assert county.value == 4000
    assert (missing(county.target), missing(county.status)) == (True, True)


# --- zero, missing, not applicable ----------------------------------------------------------------------------------


def test_a_zero_denominator_is_not_applicable_and_never_0_or_100_percent(site: IndicatorSite) -> None:
    site.put(MARCH, defences(0, 0))
    site.compute("2026-03")
    row = site.row("2026-03", DEFENCE)
    assert (row.numerator, row.denominator, row.status) == (0, 0, "not_applicable")
    assert missing(row.value)
    assert missing(row.attainment)
    assert missing(row.note_zh)


def test_nil_means_zero_for_what_the_unit_owes_and_nothing_means_missing(site: IndicatorSite) -> None:
    site.put(MARCH, Facts(nil={COUNTY}, reports=REPORTS))
    site.compute("2026-03")
    assert site.row("2026-03", "sd_volume_legal_aid", COUNTY).value == 0
    other = site.row("2026-03", "sd_volume_legal_aid", COUNTY2)
    assert (other.status, other.note_zh) == ("no_data", "缺数据：法律援助受理")
    # A village's nil says nothing of what only counties count.
    site.put(MARCH, Facts(nil={VILLAGE}, reports=REPORTS))
    site.compute("2026-03")
    assert site.row("2026-03", "sd_volume_legal_aid", COUNTY).status == "no_data"
    assert site.row("2026-03", "sd_volume_mediation", COUNTY).value == 0


def test_without_population_nothing_is_divided_by_an_old_one(site: IndicatorSite) -> None:
    lawyers = {COUNTY: {"lawyer": 50}}
    site.put(Period.parse("2026-02"), Facts(stocks={**lawyers, TOWN: {"population": 100_000}}))
    site.put(MARCH, Facts(stocks=lawyers))
    site.compute("2026-02", "2026-03")
    assert site.row("2026-02", "sd_lawyer", COUNTY).value == 5
    row = site.row("2026-03", "sd_lawyer", COUNTY)
    assert (row.numerator, row.status, row.note_zh) == (50, "no_data", "缺数据：常住人口")
    assert missing(row.value)
    assert missing(row.denominator)


def test_an_incomplete_population_is_named_and_makes_the_figure_provisional(site: IndicatorSite) -> None:
    # One of the county's two townships has said how many people it has.
    site.put(MARCH, Facts(stocks={COUNTY: {"lawyer": 50}, TOWN: {"population": 100_000}}))
    site.compute("2026-03")
    row = site.row("2026-03", "sd_lawyer", COUNTY)
    assert (row.value, row.completeness, row.is_provisional) == (5, Decimal("0.5"), True)
    assert row.note_zh == "常住人口仅1/2个单位报送"


def test_a_stock_that_is_carried_forward_says_from_when(site: IndicatorSite) -> None:
    people = {town: {"population": 100_000} for town in (TOWN, TOWN2)}
    site.put(MARCH, Facts(stocks={COUNTY: {"lawyer": 50}, **people}))
    with site.engine.begin() as conn:
        conn.execute(
            sa.text("UPDATE mart.stock_total SET carried_from = '2025-12-31' WHERE cell_id = :cell"),
            {"cell": site.site.cells["population", "all"]},
        )
    site.compute("2026-03")
    assert site.row("2026-03", "sd_lawyer", COUNTY).note_zh == "常住人口沿用2025-12-31数据"


def test_a_unit_is_counted_by_what_stands_in_for_its_missing_stock_and_nil_is_zero(
    site: IndicatorSite,
) -> None:
    site.put(MARCH, Facts(stocks={VILLAGE: {"village_with_counsel": 1}}))
    site.compute("2026-03")
    assert site.row("2026-03", "sd_village_counsel", TOWN3).status == "no_data"
    numbers = site.site.values("SELECT division_code, division_id FROM core.division")
    with site.engine.begin() as conn:
        conn.execute(
            sa.text("UPDATE mart.stock_reporting SET is_nil = true WHERE division_id = :id"),
            {"id": numbers[VILLAGE4]},
        )
        conn.execute(
            sa.text("INSERT INTO mart.stock_carried VALUES ('2026-03-31', :id, :cell, 1, '2026-02-28')"),
            {"id": numbers[VILLAGE3], "cell": site.site.cells["village_with_counsel", "all"]},
        )
    site.compute("2026-03")
    nil = site.row("2026-03", "sd_village_counsel", TOWN3)
    assert (nil.numerator, nil.value) == (0, 0)
    assert site.row("2026-03", "sd_village_counsel", TOWN2).value == 1
    assert site.row("2026-03", "sd_village_counsel", PROVINCE).numerator == 2


def test_a_quarter_whose_last_month_has_no_stocks_has_none(site: IndicatorSite) -> None:
    site.put(Period.parse("2026-02"), Facts(stocks={COUNTY: {"lawyer": 50}, TOWN: {"population": 100_000}}))
    site.put(Period.parse("2026Q1"), defences(9, 10))
    site.compute("2026Q1")
    assert site.row("2026Q1", "sd_lawyer").status == "no_data"
    assert site.row("2026Q1", DEFENCE).value == Decimal("0.9")


def test_a_division_that_was_merged_in_mid_year_counts_above_and_has_no_row_of_its_own(
    fresh: IndicatorSite,
) -> None:
    site = fresh
    ids = site.site.values("SELECT division_code, division_id FROM core.division")
    later = "\n".join(line for line in TREE.splitlines() if VILLAGE2 not in line)
    site.site.load(later, date(2026, 7, 1), mapping=f"merged,{VILLAGE2},{VILLAGE},,合并")
    year = Period.parse("2026")
    mine = {("mediation_accepted", PHYSICAL): 5, ("mediation_settled", PHYSICAL): 3}
    site.put(
        year, Facts(flows={VILLAGE: mine}, stocks={VILLAGE: {"village_with_counsel": 1}}, reports=REPORTS)
    )
    # Until June the merged village had 4 of its own: its days' totals are in those above it (0010).
    cells = [site.site.cells["mediation_accepted", channel] for channel in (PHYSICAL, "all")]
    with site.engine.begin() as conn:
        number = conn.execute(sa.text("SELECT period_id FROM mart.period WHERE period = '2026'")).scalar_one()
        conn.execute(
            sa.text("INSERT INTO mart.period_own VALUES (:p, :u, :c, 4)"),
            {"p": number, "u": ids[VILLAGE2], "c": cells[0]},
        )
        conn.execute(
            sa.text("UPDATE mart.period_total SET value = value + 4 WHERE cell_id = ANY(:c)"), {"c": cells}
        )
    site.compute("2026")
    town = site.row("2026", "lyg_mediation_success", TOWN)
    assert (town.numerator, town.denominator) == (3, 9)
    assert VILLAGE2 not in site.values("2026").index.get_level_values(0)
    counsel = site.row("2026", "sd_village_counsel", TOWN)
    assert (counsel.numerator, counsel.denominator, counsel.value) == (1, 1, 1)


# --- comparisons, targets ---------------------------------------------------------------------------------------------


def test_rates_change_in_points_and_volumes_in_percent(site: IndicatorSite) -> None:
    # 0.8 → 0.9 is +0.1, not +12.5 %. 20 → 26 cases are +30 %, against 40 of last year −35 %.
    for name, assigned, accepted in (("2026-03", 9, 26), ("2026-02", 8, 20), ("2025-03", 10, 40)):
        facts = defences(assigned, 10)
        facts.flows[COUNTY]["legal_aid_accepted", PHYSICAL] = accepted
        site.put(Period.parse(name), facts)
        site.compute(name)
    rate = site.row("2026-03", DEFENCE)
    assert (rate.value_previous, rate.value_last_year) == (Decimal("0.8"), 1)
    assert (rate.mom, rate.yoy) == (Decimal("0.1"), Decimal("-0.1"))
    amount = site.row("2026-03", "sd_volume_legal_aid")
    assert (amount.mom, amount.yoy) == (Decimal("0.3"), Decimal("-0.35"))


def test_a_missing_zero_or_provisional_base_compares_with_nothing(site: IndicatorSite) -> None:
    site.put(MARCH, volume(26))
    site.compute("2026-03")
    assert missing(site.row("2026-03", "sd_volume_legal_aid").mom)
    site.put(Period.parse("2026-02"), volume(0))
    site.compute("2026-02")
    row = site.row("2026-03", "sd_volume_legal_aid")
    assert (row.value_previous, missing(row.mom)) == (0, True)
    site.put(Period.parse("2026-02"), volume(20, reports=(31, 27, 27)))
    site.compute("2026-02")
    assert site.row("2026-02", "sd_volume_legal_aid").is_provisional
    row = site.row("2026-03", "sd_volume_legal_aid")
    assert (row.is_provisional, row.value_previous, missing(row.mom)) == (False, 20, True)
    site.put(Period.parse("2026-02"), volume(20, reports=(31, 28, 28)))
    site.compute("2026-02")
    assert site.row("2026-03", "sd_volume_legal_aid").mom == Decimal("0.3")


def test_a_period_with_days_that_were_not_rolled_up_is_provisional_and_says_how_many(
    site: IndicatorSite,
) -> None:
    site.put(MARCH, volume(26))
    with site.engine.begin() as conn:
        conn.execute(sa.text("DELETE FROM mart.daily_rollup WHERE stat_date > '2026-03-29'"))
    site.compute("2026-03")
    row = site.row("2026-03", "sd_volume_legal_aid")
    assert (row.value, row.is_provisional, row.note_zh) == (26, True, "尚有2天未汇总")
    assert not site.row("2026-03", "sd_lawyer").is_provisional


def test_the_year_to_date_stands_beside_the_period(site: IndicatorSite) -> None:
    site.put(MARCH, volume(26))
    site.put(Period.parse("2026-03/to_date"), volume(70))
    site.compute("2026-03", "2026-03/to_date")
    assert site.row("2026-03", "sd_volume_legal_aid").ytd == 70
    assert missing(site.row("2026-03", "sd_lawyer").ytd)
    assert site.values("2026-03/to_date").empty


def test_a_day_has_what_needs_no_stock_and_a_29_february_compares_with_the_28th(site: IndicatorSite) -> None:
    for day, assigned in ((date(2024, 2, 29), 9), (date(2024, 2, 28), 8), (date(2023, 2, 28), 4)):
        flows = {("defence_assigned", PHYSICAL): assigned, ("defence_notified", PHYSICAL): 10}
        site.site.submit(day, {COUNTY: flows})
        site.site.roll_up(day)
        with site.engine.begin() as conn:
            conn.execute(
                sa.text(
                    "UPDATE mart.daily_reporting SET received = units_expected, on_time = units_expected"
                    " WHERE stat_date = :day"
                ),
                {"day": day},
            )
        site.compute(day.isoformat())
    row = site.row("2024-02-29", DEFENCE, COUNTY)
    assert (row.value, row.mom, row.yoy) == (Decimal("0.9"), Decimal("0.1"), Decimal("0.5"))
    assert "sd_lawyer" not in site.values("2024-02-29").index.get_level_values(1)


def test_a_rising_target_is_last_years_value(site: IndicatorSite) -> None:
    for name, settled in (("2026-03", 9), ("2025-03", 8)):
        flows = {("mediation_settled", PHYSICAL): settled, ("mediation_accepted", PHYSICAL): 10}
        site.put(Period.parse(name), Facts(flows={COUNTY: flows}, reports=REPORTS))
        site.compute(name)
    row = site.row("2026-03", "lyg_mediation_success")
    assert (row.target, row.attainment, row.status) == (Decimal("0.8"), Decimal("1.125"), "met")
    before = site.row("2025-03", "lyg_mediation_success")
    assert (before.value, before.status, missing(before.target)) == (Decimal("0.8"), "no_data", True)


@pytest.mark.parametrize(
    ("period", "target"), [("2017-06", "0.8"), ("2017-12", "0.8"), ("2018-01", "1"), ("2026-03", "1")]
)
def test_the_target_in_force_is_the_next_one_that_falls_due(
    site: IndicatorSite, period: str, target: str
) -> None:
    built = {COUNTY: {"platform_built": 1}, COUNTY2: {"platform_built": 0}}
    site.put(Period.parse(period), Facts(stocks=built))
    site.compute(period)
    row = site.row(period, "fj_county_platform")
    assert (row.value, row.target, row.status) == (Decimal("0.5"), Decimal(target), "not_met")


def test_what_is_asked_per_year_and_not_scaled_is_judged_in_whole_years_only(site: IndicatorSite) -> None:
    entries = Facts(flows={COUNTY: {("case_bank_entry", PHYSICAL): 60}}, reports=REPORTS)
    for name in ("2026-03", "2026"):
        site.put(Period.parse(name), entries)
        site.compute(name)
    month, year = (site.row(name, "ly_case_bank", COUNTY) for name in ("2026-03", "2026"))
    assert (month.value, missing(month.target), missing(month.status)) == (60, True, True)
    assert (year.value, year.target, year.status) == (60, 50, "met")


# --- running it ----------------------------------------------------------------------------------------------------


def test_computing_again_writes_the_same_rows(site: IndicatorSite) -> None:
    site.put(MARCH, defences(9, 10))
    site.compute("2026-03")
    first = site.values("2026-03")
    assert len(first) > 200
    site.compute("2026-03")
    pd.testing.assert_frame_equal(first, site.values("2026-03"))


ONE_ENTRY = """
- code: consultation_on_the_spot_share
  name_zh: 现场解答占比
  name_en: Share of consultations answered on the spot
  formula: consultation_on_the_spot / consultation[physical]
  unit: "%"
  kind: rate
  levels: [province, city, county, township, village]
  periods: [day, month, quarter, year]
  direction: higher
  targets: [{by: 2026-12-31, at_least: 0.5}]
  source:
    key: specification
    quote: 现场解答 (of consultation)
    place: 规格书（domain.md）第二节
"""


def test_a_new_indicator_is_one_entry_and_no_code(fresh: IndicatorSite) -> None:
    site = fresh
    guide = (Path(__file__).parents[2] / "docs" / "howto" / "new-indicator.md").read_text(encoding="utf-8")
    assert ONE_ENTRY.strip() in guide
    folder = site.site.folder / "indicators"
    folder.mkdir()
    (folder / "ours.yaml").write_text(ONE_ENTRY, encoding="utf-8")
    catalog = load_catalog(site.site.folder)
    register_catalog(site.engine, catalog)
    spot = {
        ("consultation_on_the_spot", PHYSICAL): 3,
        ("consultation", PHYSICAL): 4,
        ("consultation", "network"): 9,
    }
    site.put(MARCH, Facts(flows={VILLAGE: spot}, reports={VILLAGE: (22, 22, 22)}))
    site.compute("2026-03", catalog=catalog)
    rows = site.values("2026-03", "consultation_on_the_spot_share")
    assert len(rows) == len(TREE.split())
    for code in (PROVINCE, CITY, COUNTY, TOWN, VILLAGE):
        row = rows.loc[code, "consultation_on_the_spot_share"]
        assert (row.value, row.target, row.status) == (Decimal("0.75"), Decimal("0.5"), "met")


def test_a_changed_target_is_a_new_version_and_the_old_one_stays_known(fresh: IndicatorSite) -> None:
    site = fresh
    folder = site.site.folder / "indicators"
    folder.mkdir()
    for target in ("0.5", "0.6", "0.6"):
        (folder / "ours.yaml").write_text(ONE_ENTRY.replace("0.5", target), encoding="utf-8")
        register_catalog(site.engine, load_catalog(site.site.folder))
    known = site.site.frame(
        "SELECT value, known_to = 'infinity' AS is_current FROM core.indicator_target JOIN core.indicator"
        " USING (indicator_id) WHERE indicator = 'consultation_on_the_spot_share' AND level = 'city'"
        " ORDER BY known_from"
    )
    assert list(known["value"]) == [Decimal("0.5"), Decimal("0.6")]
    assert list(known["is_current"]) == [False, True]


def test_explaining_a_value_names_its_terms_and_the_figures_under_them(site: IndicatorSite) -> None:
    facts = Facts(
        flows={COUNTY: {("legal_aid_accepted", PHYSICAL): 20}},
        stocks={TOWN: {"population": 60_000}, TOWN2: {"population": 40_000}},
        reports=REPORTS,
    )
    day = date(2026, 3, 2)
    site.site.submit(day, {COUNTY: {("legal_aid_accepted", PHYSICAL): 20}})
    site.site.roll_up(day)
    site.put(MARCH, facts)
    site.compute("2026-03")
    found = explain_indicator(site.engine, site.site.catalog, COUNTY, MARCH, "sd_legal_aid")
    assert found.formula == "legal_aid_accepted / population * 100000"
    assert [(term["side"], term["term"], term["value"]) for term in found.terms] == [
        ("numerator", "legal_aid_accepted", 20),
        ("denominator", "population", 100_000),
    ]
    shown = [
        (part["term"], part["unit_code"], part["stat_date"], part["channel"], part["value"])
        for part in found.parts
    ]
    assert shown == [
        ("legal_aid_accepted", COUNTY, day, "all", 20),
        ("population", TOWN, date(2026, 3, 31), None, 60_000),
        ("population", TOWN2, date(2026, 3, 31), None, 40_000),
    ]


KINDS_OF_TERMS = {
    DEFENCE: 0,
    "lyg_professionals": 5,
    "sd_law_savvy": 2 * 2 + 2,
    "sd_mediation_standard": 2,
    "suz_counsel_duty": 1 + 2,
    "share_physical": 0,
    "reporting_rate": 0,
}
"""Figures of units and divisions under each; figures of days are none here."""


def test_every_kind_of_term_opens_and_terms_add_up_to_the_value(site: IndicatorSite) -> None:
    facts = defences(9, 10)
    facts.flows[VILLAGE] = {("counsel_duty_shift", PHYSICAL): 2, ("consultation", PHYSICAL): 1}
    staff = {"lawyer": 30, "notary": 5, "forensic_examiner": 4, "grassroots_worker": 11}
    savvy = {"law_savvy_person": 2, "rule_of_law_leader": 1}
    facts.stocks = {
        COUNTY: staff,
        TOWN: {"population": 60_000},
        VILLAGE: {**savvy, "mediation_committee": 1, "mediation_committee_standardised": 1},
        VILLAGE2: savvy,
    }
    site.put(MARCH, facts)
    site.compute("2026-03")
    for indicator, parts in KINDS_OF_TERMS.items():
        division = COUNTY if indicator == "lyg_professionals" else TOWN if indicator != DEFENCE else CITY
        if indicator == "reporting_rate":
            division = COUNTY
        found = explain_indicator(site.engine, site.site.catalog, division, MARCH, indicator)
        assert found.figure["value"] is not None, indicator
        for side in ("numerator", "denominator"):
            terms = [term["value"] for term in found.terms if term["side"] == side]
            assert sum(terms) == found.figure[side], indicator
        assert len(found.parts) == parts, (indicator, found.parts)


def test_the_command_line_opens_an_indicator(
    site: IndicatorSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.put(MARCH, defences(9, 10))
    site.compute("2026-03")
    monkeypatch.setenv("PLS_WAREHOUSE", site.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("PLS_CATALOG", str(site.site.folder))
    monkeypatch.setenv("PLS_HOME", str(tmp_path))
    asked = ["explain", "indicator_value", "--division", COUNTY, "--period", "2026-03"]
    told = CliRunner().invoke(main, [*asked, "--indicator", DEFENCE, "--json"])
    assert told.exit_code == 0, told.output
    document = json.loads(told.stdout)
    assert document["formula"] == "defence_assigned / defence_notified"
    assert [Decimal(term["value"]) for term in document["terms"]] == [9, 10]
    words = CliRunner().invoke(main, [*asked, "--indicator", DEFENCE])
    assert "numerator defence_assigned: 9" in words.stderr
    refused = CliRunner().invoke(main, asked)
    assert refused.exit_code == 2
    assert "Missing option '--indicator'" in refused.stderr


def test_explaining_what_is_not_there_or_out_of_date_says_what_to_do(site: IndicatorSite) -> None:
    site.put(MARCH, defences(9, 10))
    with pytest.raises(IndicatorUnexplained, match=f"no row for {COUNTY}, 2026-03, {DEFENCE}"):
        explain_indicator(site.engine, site.site.catalog, COUNTY, MARCH, DEFENCE)
    site.compute("2026-03")
    site.put(MARCH, defences(10, 10))
    with pytest.raises(
        IndicatorUnexplained, match=r"the numerator was computed as 9 and is 10 .* compute the period again"
    ):
        explain_indicator(site.engine, site.site.catalog, COUNTY, MARCH, DEFENCE)
