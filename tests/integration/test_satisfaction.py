"""Satisfaction of a period: counts, rates, intervals, ranks, weights, and what is shown of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from etl.periods.period import Period
from etl.satisfaction import SatisfactionError
from etl.warehouse import ServerAddress
from tests.integration.satisfaction_site import (
    SatisfactionSite,
    random_survey,
    satisfaction_site,
    survey,
    with_services,
)

pytestmark = pytest.mark.integration
CITY, COUNTY, OTHER = "371300000000", "371302000000", "371311000000"
TOWN, TOWN_2, TOWN_3, TOWN_4 = (f"37130200{n}000" for n in range(1, 5))
DIVISIONS = f"""
    {CITY},临沂市,city,
    {COUNTY},兰山区,county,{CITY}
    {OTHER},罗庄区,county,{CITY}
    {TOWN},兰山街道,township,{COUNTY}
    {TOWN_2},银雀山街道,township,{COUNTY}
    {TOWN_3},金雀山街道,township,{COUNTY}
    {TOWN_4},柳青街道,township,{COUNTY}
"""
MONTH = "2026-03"


@pytest.fixture
def site(server: ServerAddress, tmp_path: Path) -> Iterator[SatisfactionSite]:
    with satisfaction_site(server, tmp_path, DIVISIONS, "consultation") as made:
        yield made


def test_a_month_worked_out_by_hand(site: SatisfactionSite) -> None:
    own = survey(20, 10, 5, 4, 1, asked=50) | {("consultation", "physical"): 160}
    site.total(MONTH, {TOWN: own})
    site.compute(MONTH)
    row = site.rows(MONTH)[TOWN]
    assert (row.division_name, row.level, row.parent_code, row.period) == (
        "兰山街道",
        "township",
        COUNTY,
        MONTH,
    )
    assert (row.asked, row.answered, row.delivered) == (50, 40, 160)
    assert (row.response_rate, row.answered_share) == (0.8, 0.25)
    assert (row.rate, row.strict_rate) == (35 / 40, 30 / 40)
    assert row.satisfied_share == 35 / 160, "the lower bound: those who did not answer count as dissatisfied"
    assert row.score == pytest.approx((20 * 100 + 10 * 80 + 5 * 60 + 4 * 30) / 40)
    low, high = proportion_confint(35, 40, method="wilson")
    assert (row.rate_low, row.rate_high) == pytest.approx((low, high), abs=1e-12)
    low, high = proportion_confint(30, 40, method="wilson")
    assert (row.strict_rate_low, row.strict_rate_high) == pytest.approx((low, high), abs=1e-12)
    assert (row.enough, row.is_shown, row.is_provisional, row.note_zh) == (True, True, False, None)
    assert row.definition_zh.startswith("满意率＝（很满意＋满意＋基本满意）÷回答份数")
    assert site.rows(MONTH, "physical")[TOWN].rate == row.rate


@pytest.mark.parametrize(
    ("satisfied", "of", "low", "high"), [(20, 20, 0.839, 1.0), (98, 100, 0.930, 0.994), (5, 5, 0.566, 1.0)]
)
def test_intervals_are_wilson_s(
    site: SatisfactionSite, satisfied: int, of: int, low: float, high: float
) -> None:
    site.total(MONTH, {TOWN: survey(satisfied, 0, 0, of - satisfied)})
    site.compute(MONTH)
    row = site.rows(MONTH)[TOWN]
    assert (round(row.rate_low, 3), round(row.rate_high, 3)) == (low, high)


def test_every_interval_is_that_of_statsmodels(site: SatisfactionSite) -> None:
    random = np.random.default_rng(3)
    units = [code for code in site.parents if code.startswith("3713020")]
    site.total(MONTH, {code: random_survey(random, 40) for code in units})
    site.compute(MONTH)
    looked_at = 0
    for channel in ("all", "physical", "hotline", "network"):
        for row in site.rows(MONTH, channel).values():
            if row.rate is not None:
                bounds = proportion_confint(row.satisfied, row.answered, method="wilson")
                assert (row.rate_low, row.rate_high) == pytest.approx(bounds, abs=1e-12)
                looked_at += 1
    assert looked_at > 15


def test_a_parent_is_pooled_over_answers_never_averaged(site: SatisfactionSite) -> None:
    site.total(MONTH, {TOWN: survey(10, 0, 0, 0), TOWN_2: survey(30, 0, 0, 60), COUNTY: survey(0, 0, 0, 100)})
    site.compute(MONTH)
    rows = site.rows(MONTH)
    assert (rows[TOWN].rate, rows[TOWN_2].rate) == (1.0, 30 / 90)
    assert rows[COUNTY].rate == rows[CITY].rate == 40 / 200


def test_small_samples_are_marked_and_not_ranked_and_very_small_ones_not_shown(
    site: SatisfactionSite,
) -> None:
    counts = {TOWN: 4, TOWN_2: 5, TOWN_3: 29, TOWN_4: 30}
    site.total(MONTH, {code: survey(count) for code, count in counts.items()})
    site.compute(MONTH)
    rows = site.rows(MONTH)
    assert (rows[TOWN].is_shown, rows[TOWN].enough) == (False, False)
    assert rows[TOWN_2].is_shown is False, "the smallest beside it would give it away"
    for code in (TOWN, TOWN_2):
        row = rows[code]
        hidden = (
            row.asked,
            row.answered,
            row.satisfied,
            row.rate,
            row.rate_low,
            row.score,
            row.response_rate,
        )
        assert hidden == (None,) * 7
        assert row.note_zh == "回答不足 5 份，或可据以推算不足 5 份的数据，不予公布"
    assert (rows[TOWN_3].is_shown, rows[TOWN_3].enough, rows[TOWN_3].rank_low) == (True, False, None)
    assert rows[TOWN_3].note_zh == "样本不足，不参与排名"
    assert (rows[TOWN_4].enough, rows[TOWN_4].rank_low) == (True, 1)
    assert rows[COUNTY].answered == 68, "the parent counts all answers"


def test_a_small_channel_hides_channels_and_leaves_the_total(site: SatisfactionSite) -> None:
    site.total(
        MONTH,
        {
            TOWN: survey(20) | survey(2, channel="hotline"),
            TOWN_2: survey(30) | survey(10, channel="hotline"),
            TOWN_3: survey(40) | survey(12, channel="hotline"),
        },
    )
    site.compute(MONTH)
    assert [site.rows(MONTH)[code].answered for code in (TOWN, TOWN_2, TOWN_3)] == [22, 40, 52]
    for channel in ("physical", "hotline", "network"):
        rows = site.rows(MONTH, channel)
        assert [rows[code].is_shown for code in (TOWN, TOWN_2)] == [False, False], "networks' nothing too"
        assert rows[COUNTY].answered == {"physical": 90, "hotline": 24}.get(channel)
    assert site.rows(MONTH, "hotline")[TOWN_3].answered == 12


def test_a_quarter_does_not_give_a_month_away(site: SatisfactionSite) -> None:
    months = [
        {TOWN: 20, TOWN_2: 30, TOWN_3: 40},
        {TOWN: 3, TOWN_2: 30, TOWN_3: 40},
        {TOWN: 25, TOWN_2: 9, TOWN_3: 40},
    ]
    for number, counts in enumerate(months, start=1):
        site.total(f"2026-0{number}", {code: survey(count) for code, count in counts.items()})
    site.total("2026Q1", {code: survey(sum(month[code] for month in months)) for code in months[0]})
    for name in ("2026-01", "2026-02", "2026-03", "2026Q1"):
        site.compute(name)
    february, quarter = site.rows("2026-02"), site.rows("2026Q1")
    assert [february[code].is_shown for code in (TOWN, TOWN_2, TOWN_3)] == [False, False, True]
    assert [quarter[code].is_shown for code in (TOWN, TOWN_2, TOWN_3)] == [False, False, True]
    assert quarter[COUNTY].answered == 237


def test_two_hidden_months_leave_their_quarter_shown(site: SatisfactionSite) -> None:
    months = [
        {TOWN: 3, TOWN_2: 30, TOWN_3: 40},
        {TOWN: 3, TOWN_2: 30, TOWN_3: 40},
        {TOWN: 25, TOWN_2: 35, TOWN_3: 40},
    ]
    for number, counts in enumerate(months, start=1):
        site.total(f"2026-0{number}", {code: survey(count) for code, count in counts.items()})
    site.total("2026Q1", {code: survey(sum(month[code] for month in months)) for code in months[0]})
    site.compute("2026Q1")
    assert [site.rows("2026Q1")[code].answered for code in (TOWN, TOWN_2, TOWN_3)] == [31, 95, 120]


def test_awareness_is_of_those_whose_platform_asks_for_it(site: SatisfactionSite) -> None:
    asked = survey(40, aware=30, first_choice=10, answered_on_aware=40, answered_on_first_choice=40)
    site.total(MONTH, {TOWN: asked | survey(60, channel="hotline"), TOWN_2: survey(50, channel="hotline")})
    site.compute(MONTH)
    rows = site.rows(MONTH)
    assert (rows[TOWN].answered, rows[TOWN].aware_answered) == (100, 40)
    assert (rows[TOWN].awareness, rows[TOWN].first_choice) == (0.75, 0.25)
    bounds = proportion_confint(30, 40, method="wilson")
    assert (rows[TOWN].awareness_low, rows[TOWN].awareness_high) == pytest.approx(bounds, abs=1e-12)
    assert (rows[TOWN_2].awareness, rows[TOWN_2].awareness_low) == (None, None)
    assert rows[COUNTY].awareness == 0.75


def test_ranks_are_as_wide_as_the_intervals_leave_them(site: SatisfactionSite) -> None:
    site.total(
        MONTH,
        {
            TOWN: survey(990, 0, 0, 10),
            TOWN_2: survey(98, 0, 0, 2),
            TOWN_3: survey(900, 0, 0, 100),
            TOWN_4: survey(1, 0, 0, 99),
        },
    )
    site.compute(MONTH)
    rows = site.rows(MONTH)
    found = [
        (rows[c].rank_low, rows[c].rank_high, rows[c].is_leading) for c in (TOWN, TOWN_2, TOWN_3, TOWN_4)
    ]
    assert found == [(1, 2, True), (1, 2, True), (3, 3, False), (4, 4, False)]


def test_provisional_figures_are_shown_and_not_ranked(site: SatisfactionSite) -> None:
    counts = {TOWN: survey(99, 0, 0, 1), TOWN_2: survey(50, 0, 0, 50)}
    site.total(MONTH, counts, received={TOWN: 8})
    site.compute(MONTH)
    rows = site.rows(MONTH)
    assert (rows[TOWN].is_provisional, rows[TOWN].rate, rows[TOWN].rank_low) == (True, 0.99, None)
    assert (rows[TOWN_2].is_provisional, rows[TOWN_2].rank_low, rows[TOWN_2].is_leading) == (False, 1, True)
    site.total(MONTH, counts, days_known=20)
    site.compute(MONTH)
    assert {row.is_provisional for row in site.rows(MONTH).values()} == {True}


def test_a_weighted_rate_by_hand_with_an_empty_cell(site: SatisfactionSite) -> None:
    site.total(
        MONTH,
        {
            TOWN: survey(80, 0, 0, 20) | {("consultation", "physical"): 300},
            TOWN_2: {("consultation", "network"): 100},
            COUNTY: survey(10, 0, 0, 40, channel="hotline") | {("consultation", "hotline"): 600},
        },
    )
    site.compute(MONTH)
    row = site.rows(MONTH)[COUNTY]
    # Network has services and no answers: it is put together with the smaller cell, the hotline (50 answers, 20 %).
    assert row.rate == 90 / 150
    assert row.weighted_rate == pytest.approx(0.3 * 0.8 + 0.7 * 0.2)
    assert row.effective_sample == round(1 / (0.3**2 / 100 + 0.7**2 / 50))
    assert row.weighting_note_zh == "样本不足 5 份，合并计算：热线·县级、网络·乡级"
    bounds = proportion_confint(0.38 * row.effective_sample, row.effective_sample, method="wilson")
    assert (row.weighted_low, row.weighted_high) == pytest.approx(bounds, abs=1e-12)
    assert row.weighting_zh == "按渠道与层级的服务量加权"
    assert site.rows(MONTH)[TOWN].weighted_rate is None, "nothing stands below it"


def test_a_rate_weighted_by_population(site: SatisfactionSite) -> None:
    for code, people in ((TOWN, 1000), (TOWN_2, 3000)):
        site.run(
            "INSERT INTO mart.stock_total SELECT '2026-03-31', division_id, :cell, :people, 1, 1 FROM core.division"
            " WHERE division_code = :code",
            cell=site.cells["population", "all"], people=people, code=code,
        )  # fmt: skip
    rule = site.catalog.satisfaction_rule().model_copy(update={"weighting": "population"})
    catalog = site.catalog.model_copy(update={"satisfaction": {"satisfaction": rule}})
    site.total(MONTH, {TOWN: survey(80, 0, 0, 20), TOWN_2: survey(20, 0, 0, 80)})
    site.compute(MONTH, catalog)
    row = site.rows(MONTH)[COUNTY]
    assert row.weighted_rate == pytest.approx(0.25 * 0.8 + 0.75 * 0.2)
    assert row.effective_sample == round(1 / (0.25**2 / 100 + 0.75**2 / 100))
    assert row.weighting_note_zh is None


def test_nothing_answered_nil_and_missing_stay_apart(site: SatisfactionSite) -> None:
    nil = 2**4
    site.total(MONTH, {TOWN: survey(0, 0, 0, 0, 0, asked=7)}, nil={TOWN_2: nil})
    site.compute(MONTH)
    rows = site.rows(MONTH)
    assert (rows[TOWN].asked, rows[TOWN].answered, rows[TOWN].response_rate, rows[TOWN].rate) == (
        7,
        0,
        0,
        None,
    )
    assert (rows[TOWN_2].asked, rows[TOWN_2].answered) == (0, 0)
    assert (rows[TOWN_3].asked, rows[TOWN_3].answered) == (None, None)
    assert not any(rows[code].is_shown for code in (TOWN, TOWN_2, TOWN_3))


def test_computing_again_changes_nothing(site: SatisfactionSite) -> None:
    random = np.random.default_rng(5)
    site.total(MONTH, {code: random_survey(random, 9) for code in site.parents})
    table = "SELECT * FROM mart.satisfaction_figure ORDER BY period_id, division_id, channel_id"
    site.compute(MONTH)
    first = site.run(table)
    site.compute(MONTH)
    assert len(first) > 10
    assert site.run(table) == first
    (marked,) = site.run("SELECT satisfied_at FROM mart.period WHERE period = :name", name=MONTH)
    assert marked.satisfied_at is not None


def test_a_leap_february_counts_its_last_day(site: SatisfactionSite) -> None:
    assert Period.parse("2028-02").days == 29
    site.total("2028-02", {TOWN: survey(40)}, days_known=29)
    site.compute("2028-02")
    assert site.rows("2028-02")[TOWN].is_provisional is False
    site.total("2028-02", {TOWN: survey(40)}, days_known=28)
    site.compute("2028-02")
    assert site.rows("2028-02")[TOWN].is_provisional is True


def test_days_and_periods_without_totals_are_refused_in_words(site: SatisfactionSite) -> None:
    with pytest.raises(SatisfactionError, match="months and longer"):
        site.compute("2026-03-02")
    with pytest.raises(SatisfactionError, match="2031-01 has no totals yet"):
        site.compute("2031-01")


def test_the_catalogue_says_what_counts_as_satisfied(site: SatisfactionSite) -> None:
    rule = site.catalog.satisfaction_rule().model_copy(update={"satisfied": ("very_satisfied", "satisfied")})
    catalog = with_services(site.catalog).model_copy(update={"satisfaction": {"satisfaction": rule}})
    site.total(MONTH, {TOWN: survey(20, 10, 10)})
    site.compute(MONTH, catalog)
    row = site.rows(MONTH)[TOWN]
    assert row.rate == row.strict_rate == 30 / 40
    assert not math.isnan(row.rate_low)
    assert "基本满意" not in row.definition_zh
