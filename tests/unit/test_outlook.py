"""Early sight: what missing reports would say, what weeks may bring, and when nothing is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from scipy import stats

from etl.catalog import Catalog, load_catalog
from etl.catalog.early_sight import Estimate, Forecast
from etl.outlook.forecast import hide_reason, monday_of, rise_question
from etl.outlook.missing import Tally, expect_missing, sum_up
from etl.outlook.model import Outlook, forecast_series
from etl.outlook.weeks import WEEK, YEAR, count_weeks, season
from etl.plausibility.history import Array, day_kinds

MONDAY = date(2023, 9, 4)
WORDS = ("兰山区", "解答法律咨询", "件")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(None)


@pytest.fixture(scope="module")
def estimate(catalog: Catalog) -> Estimate:
    rule = catalog.outlook["estimate"]
    assert isinstance(rule, Estimate)
    return rule


@pytest.fixture(scope="module")
def forecast(catalog: Catalog) -> Forecast:
    rule = catalog.outlook["forecast"]
    assert isinstance(rule, Forecast)
    return rule


# --- missing reports -----------------------------------------------------------------------------------------

PAST, DAYS = 70, 100
"""Ten weeks before a period of thirty days."""


def tally(counts: list[int], missing: list[tuple[int, int]]) -> Tally:
    """Units with the same count on every day, without the reports named by unit and day."""
    sent = np.ones((len(counts), DAYS))
    for unit, day in missing:
        sent[unit, day] = 0
    values = (np.array(counts)[:, None] * sent)[:, :, None]
    kinds = np.array([day % 7 for day in range(DAYS)])
    return Tally(kinds, np.zeros(len(counts), dtype=int), sent, 1 - sent, values, np.arange(DAYS) >= PAST)


def summed(found: Tally, rule: Estimate) -> tuple[float, float, float]:
    """Mean and limits of all missing counts of all units."""
    units = len(found.group)
    below = np.array([range(units), [0] * units])
    total = sum_up(expect_missing(found, rule), found.group, below, 1, rule.probability)
    return total.mean[0, 0], total.lower[0, 0], total.upper[0, 0]


def test_units_that_count_the_same_every_day_are_expected_to_go_on(estimate: Estimate) -> None:
    mean, lower, upper = summed(tally([10, 4, *[20] * 30], [(0, 80), (0, 81), (0, 82), (1, 90)]), estimate)
    assert mean == pytest.approx(3 * 10 + 4, abs=0.05)
    assert lower < mean < upper
    chance = stats.poisson.ppf([0.025, 0.975], 34)
    assert chance[0] - 3 <= lower <= chance[0]
    assert chance[1] <= upper <= chance[1] + 3


def test_only_the_missing_reports_of_the_period_count(estimate: Estimate) -> None:
    assert summed(tally([10, 4], [(0, 20), (1, 30)]), estimate) == (0, 0, 0)


def test_a_day_that_was_busy_for_the_others_is_expected_to_have_been_busy(estimate: Estimate) -> None:
    found = tally([40, 40, 40], [(0, 80)])
    found.values[1:, 80] *= 2
    mean, _, _ = summed(found, estimate)
    assert mean == pytest.approx(80, rel=0.1)


def test_kinds_of_day_are_learnt(estimate: Estimate) -> None:
    found = tally([40, 40, 40], [(0, 89)])
    found.values[:, found.kinds == 5] /= 4
    assert found.kinds[89] == 5
    mean, _, _ = summed(found, estimate)
    assert mean == pytest.approx(10, rel=0.1)


def test_days_to_come_are_as_the_recent_ones_and_less_certain(estimate: Estimate) -> None:
    found = tally([40, 40], [(unit, day) for unit in (0, 1) for day in range(95, DAYS)])
    wavering = replace(found, values=found.values.copy())
    wavering.values[:, 30:65] *= 2
    still = summed(found, estimate)
    assert still[0] == pytest.approx(2 * 5 * 40, rel=0.02)
    moving = summed(wavering, estimate)
    assert moving[0] == pytest.approx(2 * 5 * 40, rel=0.1)
    assert moving[2] - moving[1] > 3 * (still[2] - still[1])


def test_a_unit_without_history_is_counted_as_unknown(estimate: Estimate) -> None:
    silent = [(0, day) for day in range(DAYS)]
    new = [(1, day) for day in range(DAYS) if day not in range(70, 70 + estimate.fewest_days - 1)]
    found = expect_missing(tally([10, 10, 10], [*silent, *new, (2, 99)]), estimate)
    assert found.unknown.tolist() == [30, 30 - estimate.fewest_days + 1, 0]


def test_what_varies_more_has_the_wider_interval(estimate: Estimate) -> None:
    found = tally([30, 30, 30, 30], [(0, 80), (1, 85)])
    restless = replace(found, values=found.values.copy())
    restless.values[:, ::2] *= 2
    restless.values[:, 1::2] *= 0.5
    restless.values[1:3] = restless.values[1:3, ::-1]
    still, moving = summed(found, estimate), summed(restless, estimate)
    assert moving[2] - moving[1] > 1.5 * (still[2] - still[1])


# --- weeks ---------------------------------------------------------------------------------------------------


def weekly(catalog: Catalog, weeks: int, horizon: int = 4) -> Array:
    days = [MONDAY + timedelta(days=number) for number in range((weeks + horizon) * WEEK)]
    return day_kinds(days, catalog.calendars["workdays"])


def test_a_week_with_a_holiday_has_the_level_of_the_weeks_around_it(catalog: Catalog) -> None:
    kinds = weekly(catalog, 40)
    quiet = np.where(np.isin(kinds, [5, 6, 8]), 0.25, 1.0)
    values = 100 * quiet[None, : 40 * WEEK]
    weeks = count_weeks(values, kinds, 4, values.shape[1])
    golden = (date(2023, 10, 2) - MONDAY).days // WEEK
    assert weeks.total[0, golden] < 0.6 * weeks.total[0, golden - 2]
    assert weeks.level[0, golden] == pytest.approx(weeks.level[0, golden - 2], rel=0.05)


def test_days_that_are_not_known_do_not_pull_a_week_down(catalog: Catalog) -> None:
    kinds = weekly(catalog, 40)
    values = np.full((1, 40 * WEEK), 20.0)
    values[0, 10 * WEEK : 10 * WEEK + 3] = np.nan
    values[0, 20 * WEEK : 20 * WEEK + 6] = np.nan
    weeks = count_weeks(values, kinds, 4, values.shape[1])
    assert weeks.level[0, 10] == pytest.approx(weeks.level[0, 9], rel=0.02)
    assert np.isnan(weeks.total[0, 10]), "not all of it was counted"
    assert np.isnan(weeks.level[0, 20]), "one day says too little"


def test_a_season_is_counted_on_only_when_a_year_and_more_is_stored(catalog: Catalog) -> None:
    kinds = weekly(catalog, YEAR + 25)
    values = np.full((2, (YEAR + 25) * WEEK), 20.0)
    short = count_weeks(values, kinds, 4, values.shape[1])
    assert (season(short, 26) == 1).all()
    assert np.isnan(season(short, 25)[:YEAR]).all()
    assert np.isfinite(season(short, 25)[YEAR:]).all()
    values[:, : 10 * WEEK] = np.nan
    later = count_weeks(values, kinds, 4, values.shape[1])
    assert (season(later, 25) == 1).all(), "ten weeks less are stored"
    assert np.isnan(season(later, 15)).sum() == YEAR + 10


# --- forecasts -----------------------------------------------------------------------------------------------

LENGTH = 70


def outlooks(catalog: Catalog, rule: Forecast, weekly_counts: Array) -> list[Outlook]:
    """Of counties whose weekly counts are given, spread over seven like days."""
    kinds = weekly(catalog, weekly_counts.shape[1])
    values = np.repeat(weekly_counts / WEEK, WEEK, axis=1)
    found = forecast_series(count_weeks(values, kinds, 4, values.shape[1]), rule)
    shown = [each for each in found if each is not None]
    assert len(shown) == len(found) > 0
    return shown


def test_a_steady_rise_is_shown_and_carried_on(catalog: Catalog, forecast: Forecast) -> None:
    rng = np.random.default_rng(2)
    rising = rng.poisson(100 + 4.0 * np.arange(LENGTH), (1, LENGTH)).astype(float)
    (found,) = outlooks(catalog, forecast, rising)
    assert hide_reason(found, forecast, "件") is None
    assert found.model_error < 0.8 * found.naive_error
    assert found.value[3] > found.value[0]
    assert found.value[3] == pytest.approx(100 + 4 * (LENGTH + 3), rel=0.08)
    assert (found.lower < found.value).all()
    assert (found.value < found.upper).all()


def test_a_series_that_only_the_last_week_tells_is_not_shown(catalog: Catalog, forecast: Forecast) -> None:
    rng = np.random.default_rng(3)
    walks = (40 + np.cumsum(rng.normal(0, 0.6, (12, LENGTH)), axis=1)) ** 2
    hidden = [hide_reason(each, forecast, "件") for each in outlooks(catalog, forecast, walks)]
    assert sum(each is not None for each in hidden) >= 11
    assert all("不予显示" in each for each in hidden if each is not None)


def test_a_series_that_never_moves_is_not_shown(catalog: Catalog, forecast: Forecast) -> None:
    (found,) = outlooks(catalog, forecast, np.full((1, LENGTH), 700.0))
    assert found.naive_error < 1e-6
    assert hide_reason(found, forecast, "件") is not None


def test_a_county_without_history_or_counts_has_no_outlook(catalog: Catalog, forecast: Forecast) -> None:
    values = np.full((3, LENGTH * WEEK), 10.0)
    values[0, : 40 * WEEK] = np.nan
    values[1] = 0
    kinds = weekly(catalog, LENGTH)
    found = forecast_series(count_weeks(values, kinds, 4, values.shape[1]), forecast)
    assert [each is None for each in found] == [True, True, False]
    assert "历史不足" in str(hide_reason(None, forecast, "件"))


def test_an_unusual_rise_is_asked_about_and_an_ordinary_week_is_not(
    catalog: Catalog, forecast: Forecast
) -> None:
    rng = np.random.default_rng(4)
    counts = rng.poisson(200, (30, LENGTH)).astype(float)
    ordinary = [rise_question(each, forecast, WORDS) for each in outlooks(catalog, forecast, counts)]
    assert sum(each is not None for each in ordinary) <= 1
    counts[:, -1] *= 1.5
    risen = outlooks(catalog, forecast, counts)
    questions = [rise_question(each, forecast, WORDS) for each in risen]
    assert all(each is not None for each in questions)
    assert "是否" in str(questions[0]), "a question, not a verdict"
    assert str(round(risen[0].observed)) in str(questions[0])


def test_a_last_week_that_is_not_whole_raises_no_question(catalog: Catalog, forecast: Forecast) -> None:
    kinds = weekly(catalog, LENGTH)
    values = np.random.default_rng(5).poisson(30, (1, LENGTH * WEEK)).astype(float)
    values[0, -WEEK:] *= 3
    values[0, -1] = np.nan
    (found,) = forecast_series(count_weeks(values, kinds, 4, values.shape[1]), forecast)
    assert found is not None
    assert np.isnan(found.observed)
    assert rise_question(found, forecast, WORDS) is None


def test_few_more_than_forecast_are_not_asked_about(forecast: Forecast) -> None:
    nothing = np.zeros(4)
    quiet = Outlook(1, 2, 9, nothing, nothing, nothing, observed=9, expected=1, limit=5)
    assert rise_question(quiet, forecast, WORDS) is None
    assert rise_question(replace(quiet, observed=11.0), forecast, WORDS) is not None


def test_the_season_of_a_year_before_is_followed(catalog: Catalog, forecast: Forecast) -> None:
    rng = np.random.default_rng(6)
    length = 2 * YEAR + 20
    wave = 300 * (1 + 0.4 * np.sin(2 * np.pi * np.arange(length + 4) / YEAR))
    counts = rng.poisson(wave[:length], (10, length)).astype(float)
    found = outlooks(catalog, forecast, counts)
    off = [abs(each.value[3] - wave[length + 3]) / wave[length + 3] for each in found]
    assert np.median(off) < 0.06
    assert sum(hide_reason(each, forecast, "件") is None for each in found) >= 9


def test_the_same_weeks_give_the_same_forecast(catalog: Catalog, forecast: Forecast) -> None:
    counts = np.random.default_rng(7).poisson(50, (3, LENGTH)).astype(float)
    once, again = (outlooks(catalog, forecast, counts) for _ in range(2))
    for one, other in zip(once, again, strict=True):
        assert one.model_error == other.model_error
        assert one.upper.tolist() == other.upper.tolist()


def test_the_first_week_forecast_is_the_days_own(catalog: Catalog) -> None:
    assert monday_of(date(2026, 3, 29)) == date(2026, 3, 23)
    assert monday_of(date(2026, 3, 30)) == date(2026, 3, 30)
