"""Each rule of plausibility: a history that trips it, and one that must not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import chain

import numpy as np
import pandas as pd
import pytest

from etl.catalog import Catalog, Level, load_catalog
from etl.catalog.rules import (
    AllSatisfied,
    CountLimit,
    Heaping,
    History,
    LevelShift,
    PeriodEnd,
    RepeatedDay,
    VillageGap,
    VillageSum,
)
from etl.plausibility.baseline import Baseline, expect
from etl.plausibility.counts import find_count_faults
from etl.plausibility.finding import Finding, Published
from etl.plausibility.fit import fit_past
from etl.plausibility.habits import find_all_satisfied, find_heaping
from etl.plausibility.history import HOLIDAY, SHIFTED, Figures, day_kinds, window
from etl.plausibility.repeats import find_repeated_days, report_surprise
from etl.plausibility.shifts import find_level_shifts, find_period_jumps
from etl.plausibility.villages import VillageSums, find_village_gaps, find_village_sums, sum_villages

FRIDAY = date(2026, 3, 20)
MONTH_END = date(2026, 3, 31)
MEASURES = {
    "consultation": ("physical", 60.0),
    "lawyer_case": ("physical", 12.0),
    "document_drafted": ("physical", 3.0),
    "notary_case": ("physical", 25.0),
    "complaint_received": ("hotline", 0.4),
    "survey_answered": ("hotline", 8.0),
    "dissatisfied": ("hotline", 0.4),
}
PUBLISHED = Published(dict.fromkeys(MEASURES, 1_000.0))
COUNTIES = 14


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(None)


def rule(catalog: Catalog, kind: type) -> object:
    found = catalog.rule(kind)
    assert found is not None
    return found


def fit_baseline(figures: Figures, history: object) -> Baseline:
    assert isinstance(history, History)
    return expect(fit_past(figures, history), figures, history)


def months(catalog: Catalog, last: date = FRIDAY, level: str = "county") -> Figures:
    """Fourteen units with ordinary figures, quieter at weekends, over the declared window."""
    history = rule(catalog, History)
    days = window(last, history.days)
    kinds = day_kinds(days, catalog.calendars["workdays"])
    rng = np.random.default_rng(5)
    divisions = pd.DataFrame(
        {
            "division_id": np.arange(1, COUNTIES + 1),
            "code": [f"3713{number:02d}000000" for number in range(1, COUNTIES + 1)],
            "name": [f"县{number}" for number in range(1, COUNTIES + 1)],
            "level": level,
            "parent_id": 0,
        }
    )
    names = {measure.code: measure for measure in catalog.measures.values()}
    cells = pd.DataFrame(
        [
            (number, code, names[code].name_zh, names[code].unit, channel, catalog.channels[channel].name_zh)
            for number, (code, (channel, _)) in enumerate(MEASURES.items(), start=1)
        ],
        columns=["cell_id", "measure", "measure_name", "unit", "channel", "channel_name"],
    ).set_index("cell_id")
    quiet = np.where(np.isin(kinds, [5, 6, HOLIDAY]), 0.4, 1.0)
    size = rng.lognormal(0, 0.3, COUNTIES)
    cell = np.repeat(cells.index.to_numpy(), COUNTIES)
    mean = np.repeat([mean for _, mean in MEASURES.values()], COUNTIES) * np.tile(size, len(MEASURES))
    return Figures(
        days=days,
        day_kinds=kinds,
        divisions=divisions,
        cells=cells,
        owner=np.tile(np.arange(COUNTIES), len(MEASURES)),
        cell=cell,
        values=rng.poisson(mean[:, None] * quiet).astype(np.float32),
        sent=np.ones((COUNTIES, len(days)), dtype=bool),
    )


def series(figures: Figures, unit: int, measure: str) -> int:
    (found,) = np.flatnonzero(
        (figures.owner == unit) & (figures.cells.loc[figures.cell, "measure"] == measure)
    )
    return int(found)


def counted(catalog: Catalog, figures: Figures) -> list[Finding]:
    return find_count_faults(figures, fit_baseline(figures, rule(catalog, History)), PUBLISHED, catalog)


# --- counts against their own history ------------------------------------------------------------------------


@pytest.mark.parametrize("last", [FRIDAY, date(2026, 2, 17), date(2026, 3, 22), date(2026, 2, 28)])
def test_an_ordinary_day_raises_no_question_be_it_a_workday_weekend_holiday_or_shifted(
    catalog: Catalog, last: date
) -> None:
    figures = months(catalog, last)
    baseline = fit_baseline(figures, rule(catalog, History))
    assert baseline.is_ready.sum() == len(figures.owner) == 98
    assert counted(catalog, figures) == []


@pytest.mark.parametrize(
    ("measure", "true"), [("consultation", 55), ("lawyer_case", 11), ("document_drafted", 3)]
)
def test_a_zero_too_many_is_asked_about_as_such_with_both_numbers(
    catalog: Catalog, measure: str, true: int
) -> None:
    figures = months(catalog)
    figures.values[series(figures, 3, measure), -1] = true * 10
    (found,) = counted(catalog, figures)
    assert (found.check_code, found.unit_code, found.measure) == ("tenfold", "371304000000", measure)
    assert found.value == true * 10
    assert f"报送 {true * 10} " in found.message
    assert f"应为 {true}，" in found.message
    assert found.score == pytest.approx(abs(found.effect) / 1_000, abs=0.001)


def test_a_last_digit_lost_is_asked_about_as_tenfold(catalog: Catalog) -> None:
    figures = months(catalog)
    figures.values[series(figures, 3, "consultation"), -1] = 6
    (found,) = counted(catalog, figures)
    assert (found.check_code, found.effect < 0) == ("tenfold", True)
    assert "应为 60 至 69" in found.message


def test_a_digit_typed_twice_is_asked_about_with_what_it_would_be_without(catalog: Catalog) -> None:
    figures = months(catalog)
    figures.values[series(figures, 3, "lawyer_case"), -1] = 113
    (found,) = counted(catalog, figures)
    assert found.check_code == "digit_twice"
    assert "应为 13，" in found.message


def test_a_figure_that_no_slip_explains_is_outside_its_limits(catalog: Catalog) -> None:
    figures = months(catalog)
    figures.values[series(figures, 3, "lawyer_case"), -1] = 97
    figures.values[series(figures, 4, "consultation"), -1] = 1_234
    found = counted(catalog, figures)
    assert [each.check_code for each in found] == ["count_limit", "count_limit"]
    assert all("高于通常范围" in each.message for each in found)


def test_a_busy_day_of_all_peers_is_no_questionable_day(catalog: Catalog) -> None:
    figures = months(catalog)
    all_consultations = figures.cells.loc[figures.cell, "measure"].to_numpy() == "consultation"
    figures.values[all_consultations, -1] *= 6
    assert counted(catalog, figures) == []
    figures.values[series(figures, 3, "consultation"), -1] *= 10
    assert [each.unit_code for each in counted(catalog, figures)] == ["371304000000"]


def test_a_large_figure_is_judged_by_median_and_mad_a_small_one_by_the_model_of_counts(
    catalog: Catalog,
) -> None:
    figures = months(catalog)
    baseline = fit_baseline(figures, rule(catalog, History))
    large = baseline.is_by_logs[[series(figures, 3, "consultation"), series(figures, 3, "document_drafted")]]
    assert large.tolist() == [True, False]
    few = np.array([series(figures, 3, "document_drafted")])
    assert baseline.upper_tail(few, np.array([0.0]))[0] == 1
    assert baseline.upper_tail(few, np.array([30.0]))[0] < 1e-9
    probabilities = np.exp([-float(baseline.surprise(few, np.array([float(n)]))[0]) for n in range(200)])
    assert probabilities.sum() == pytest.approx(1, abs=1e-6)
    assert probabilities[5:].sum() == pytest.approx(
        float(baseline.upper_tail(few, np.array([5.0]))[0]), abs=1e-6
    )


def test_an_audience_is_judged_beside_other_audiences_not_beside_the_days_without(catalog: Catalog) -> None:
    figures = months(catalog)
    mine = figures.cells.loc[figures.cell, "measure"].to_numpy() == "complaint_received"
    rng = np.random.default_rng(4)
    shape = figures.values[mine].shape
    figures.values[mine] = np.where(rng.random(shape) < 0.1, rng.poisson(35, shape), 0)
    figures.values[mine, -1] = 0
    quiet = series(figures, 3, "complaint_received")
    figures.values[quiet] = 0
    for audience, rules in ((38, []), (70, []), (380, ["tenfold"])):
        figures.values[quiet, -1] = audience
        assert [each.check_code for each in counted(catalog, figures)] == rules


def test_a_unit_with_too_short_a_past_is_not_judged(catalog: Catalog) -> None:
    figures = months(catalog)
    mine = figures.owner == 3
    figures.values[mine, :-10] = np.nan
    figures.sent[3, :-10] = False
    figures.values[series(figures, 3, "consultation"), -1] = 900
    assert counted(catalog, figures) == []


def test_a_tenfold_error_of_yesterday_does_not_hide_one_of_today(catalog: Catalog) -> None:
    figures = months(catalog)
    mine = series(figures, 3, "lawyer_case")
    figures.values[mine, [-2, -9, -16]] = 130
    figures.values[mine, -1] = 120
    assert [each.check_code for each in counted(catalog, figures)] == ["tenfold"]


def test_a_level_that_a_rule_does_not_name_is_not_asked(catalog: Catalog) -> None:
    figures = months(catalog)
    figures.values[series(figures, 3, "lawyer_case"), -1] = 97
    limit = rule(catalog, CountLimit).model_copy(update={"levels": (Level.TOWNSHIP,)})
    elsewhere = catalog.model_copy(update={"plausibility": catalog.plausibility | {"count_limit": limit}})
    assert len(counted(catalog, figures)) == 1
    assert counted(elsewhere, figures) == []


def test_the_kind_of_a_day_follows_the_calendar(catalog: Catalog) -> None:
    days = [date(2026, 2, 14), date(2026, 2, 17), date(2026, 3, 20), date(2026, 3, 22)]
    assert day_kinds(days, catalog.calendars["workdays"]).tolist() == [SHIFTED, HOLIDAY, 4, 6]
    assert day_kinds([date(2099, 1, 1)], catalog.calendars["workdays"]).tolist() == [3], (
        "a year nobody knows yet"
    )


# --- repeated figures ----------------------------------------------------------------------------------------


def repeated(catalog: Catalog, figures: Figures) -> list[Finding]:
    baseline = fit_baseline(figures, rule(catalog, History))
    return find_repeated_days(figures, baseline, PUBLISHED, rule(catalog, RepeatedDay), catalog.wholes())


def test_a_report_that_repeats_the_one_before_is_asked_about(catalog: Catalog) -> None:
    figures = months(catalog)
    mine = figures.owner == 3
    figures.values[mine, -1] = figures.values[mine, -2]
    (found,) = repeated(catalog, figures)
    assert found.unit_code == "371304000000"
    assert found.value == figures.values[mine, -1].sum()
    assert "连续 1 次报送逐项相同" in found.message


def test_the_report_before_is_the_last_one_sent_not_yesterday(catalog: Catalog) -> None:
    figures = months(catalog)
    mine = figures.owner == 3
    figures.values[mine, -1] = figures.values[mine, -4]
    figures.values[mine, -3:-1] = np.nan
    figures.sent[3, -3:-1] = False
    assert [each.unit_code for each in repeated(catalog, figures)] == ["371304000000"]


def test_one_figure_that_differs_is_no_repetition(catalog: Catalog) -> None:
    figures = months(catalog)
    mine = figures.owner == 3
    figures.values[mine, -1] = figures.values[mine, -2]
    figures.values[series(figures, 3, "lawyer_case"), -1] += 1
    assert repeated(catalog, figures) == []


def test_nil_after_nil_is_no_repetition_and_few_small_figures_need_a_longer_run(catalog: Catalog) -> None:
    figures = months(catalog)
    mine = figures.owner == 3
    figures.values[mine, -9:] = 0
    assert repeated(catalog, figures) == []
    figures = months(catalog)
    few = (figures.owner == 3) & (figures.cells.loc[figures.cell, "measure"] != "document_drafted").to_numpy()
    figures.values[few] = 0
    figures.values[series(figures, 3, "document_drafted"), -2:] = 3
    assert repeated(catalog, figures) == []
    figures.values[series(figures, 3, "document_drafted"), -9:] = 5
    assert [each.check_code for each in repeated(catalog, figures)] == ["repeated_day"]


def test_a_part_says_little_more_than_the_whole_it_usually_follows(catalog: Catalog) -> None:
    figures = months(catalog)
    whole, part = (figures.cell == cell for cell in cells_of(figures, "survey_answered", "dissatisfied"))
    figures.values[part] = figures.values[whole]
    baseline = fit_baseline(figures, rule(catalog, History))
    without, alone, among = (
        report_surprise(figures, baseline, wholes)
        for wholes in ({("dissatisfied",): "no_such"}, {}, {("dissatisfied",): "survey_answered"})
    )
    assert (without == alone).all(), "a whole that nobody counts leaves the part to itself"
    assert (alone - among > 1.5).all()
    figures.values[part, -1] = 0
    assert (report_surprise(figures, baseline, {("dissatisfied",): "survey_answered"}) > among + 3).all()


def cells_of(figures: Figures, *measures: str) -> list[int]:
    return [int(figures.cells.index[figures.cells["measure"] == measure][0]) for measure in measures]


# --- level shifts and jumps at the end of a month ------------------------------------------------------------


def shifted(catalog: Catalog, figures: Figures) -> list[Finding]:
    baseline = fit_baseline(figures, rule(catalog, History))
    return find_level_shifts(figures, baseline, PUBLISHED, rule(catalog, LevelShift))


def test_no_level_shifts_where_none_is(catalog: Catalog) -> None:
    assert shifted(catalog, months(catalog)) == []


@pytest.mark.parametrize(("factor", "words"), [(2.0, "水平上升"), (0.4, "水平下降")])
def test_a_level_that_shifts_is_asked_about_once(catalog: Catalog, factor: float, words: str) -> None:
    figures = months(catalog)
    mine = series(figures, 3, "consultation")
    long = figures.values.copy()
    asked = []
    for first in range(1, 25):
        figures.values[mine] = long[mine]
        figures.values[mine, -first:] = np.round(long[mine, -first:] * factor)
        asked.append([each.message for each in shifted(catalog, figures)])
    held = [messages for messages in asked if messages]
    assert 1 <= len(held) <= 3
    assert all(words in messages[0] for messages in held)


def test_days_on_which_few_reported_do_not_shift_a_level(catalog: Catalog) -> None:
    found = []
    for first in range(1, 15):
        figures = months(catalog)
        mine = figures.owner == 3
        figures.values[mine, -first:] = 0
        found.append(len(shifted(catalog, figures)))
        figures.values[mine, -first:] = np.nan
        assert shifted(catalog, figures) == []
    assert any(found)


def test_what_goes_up_and_down_by_itself_has_no_level_that_could_shift(catalog: Catalog) -> None:
    unsteady = rule(catalog, LevelShift).model_copy(update={"most_dispersion": 0.001})
    counts = []
    for first in range(1, 15):
        figures = months(catalog)
        mine = series(figures, 3, "consultation")
        figures.values[mine, -first:] *= 2
        baseline = fit_baseline(figures, rule(catalog, History))
        rules = rule(catalog, LevelShift), unsteady
        counts.append([len(find_level_shifts(figures, baseline, PUBLISHED, each)) for each in rules])
    steady, never = zip(*counts, strict=True)
    assert (sum(steady) > 0, sum(never)) == (True, 0)


def jumped(catalog: Catalog, figures: Figures) -> list[Finding]:
    baseline = fit_baseline(figures, rule(catalog, History))
    return find_period_jumps(figures, baseline, PUBLISHED, rule(catalog, PeriodEnd))


def test_a_jump_in_the_last_reports_of_a_month_is_asked_about_on_its_last_day(catalog: Catalog) -> None:
    figures = months(catalog, MONTH_END)
    assert jumped(catalog, figures) == []
    mine = series(figures, 3, "lawyer_case")
    figures.values[mine, -3:] = 55
    (found,) = jumped(catalog, figures)
    assert (found.check_code, found.value) == ("period_end", 165)
    assert jumped(catalog, replace(figures, days=window(date(2026, 3, 30), 91))) == []


def test_one_large_report_at_a_months_end_is_no_jump(catalog: Catalog) -> None:
    figures = months(catalog, MONTH_END)
    figures.values[series(figures, 3, "lawyer_case"), -1] = 150
    assert jumped(catalog, figures) == []


# --- habits over months --------------------------------------------------------------------------------------


def test_round_figures_are_asked_about_beside_peers_figures_of_the_same_size(catalog: Catalog) -> None:
    figures = months(catalog, MONTH_END)
    heaping = rule(catalog, Heaping)
    assert find_heaping(figures, PUBLISHED, heaping) == []
    mine = figures.owner == 3
    figures.values[mine] = np.where(
        figures.values[mine] >= 10, 5 * np.round(figures.values[mine] / 5), figures.values[mine]
    )
    (found,) = find_heaping(figures, PUBLISHED, heaping)
    assert found.unit_code == "371304000000"
    assert "5 的整倍数" in found.message


def test_nobody_dissatisfied_in_months_is_asked_about_where_some_would_be(catalog: Catalog) -> None:
    figures = months(catalog, MONTH_END)
    satisfied = rule(catalog, AllSatisfied)
    assert find_all_satisfied(figures, PUBLISHED, satisfied) == []
    figures.values[series(figures, 3, "dissatisfied")] = 0
    (found,) = find_all_satisfied(figures, PUBLISHED, satisfied)
    assert found.unit_code == "371304000000"
    assert "没有一份不满意" in found.message
    figures.values[series(figures, 3, "survey_answered"), :-5] = 0
    assert find_all_satisfied(figures, PUBLISHED, satisfied) == [], "too few answers say nothing"


# --- a county and its villages -------------------------------------------------------------------------------


def with_villages(
    catalog: Catalog, late: float = 0.0, counted: float = 1.0, days: int = 14
) -> tuple[Figures, VillageSums]:
    """County 3 with villages of which a share is late, or that count only a part, on the last days."""
    totals = months(catalog)
    rng = np.random.default_rng(8)
    own = totals.values.copy()
    villages = rng.poisson(np.maximum(own, 1) * 0.5).astype(float)
    mine = totals.owner == 3
    villages[mine, -days:] = rng.poisson(own[mine, -days:] * 0.5 * (1 - late) * counted)
    measures = list(MEASURES)
    shape = (COUNTIES, len(measures), len(totals.days))
    cube = {name: np.zeros(shape) for name in ("own", "villages")}
    for number in range(len(totals.owner)):
        place = totals.owner[number], measures.index(totals.cells.at[totals.cell[number], "measure"])
        cube["own"][place], cube["villages"][place] = own[number], villages[number]
    expected = np.full((COUNTIES, len(totals.days)), 400)
    reported = expected.copy()
    reported[3, -days:] = 400 * (1 - late)
    return totals, VillageSums(
        np.arange(COUNTIES), measures, cube["own"], cube["villages"], expected, reported
    )


def test_villages_that_sum_to_what_the_county_leads_to_expect_raise_no_question(catalog: Catalog) -> None:
    totals, sums = with_villages(catalog)
    assert find_village_gaps(sums, totals, PUBLISHED, rule(catalog, VillageGap)) == []


def test_a_gap_that_late_villages_explain_raises_no_question(catalog: Catalog) -> None:
    totals, sums = with_villages(catalog, late=0.6)
    assert find_village_gaps(sums, totals, PUBLISHED, rule(catalog, VillageGap)) == []


def test_a_gap_that_late_villages_do_not_explain_is_asked_about_with_both_parts(catalog: Catalog) -> None:
    asked = []
    for first in range(1, 15):
        totals, sums = with_villages(catalog, late=0.1, counted=0.3, days=first)
        asked.append(find_village_gaps(sums, totals, PUBLISHED, rule(catalog, VillageGap)))
    found = [each for each in chain(*asked) if each.measure == "consultation"]
    assert 1 <= len(found) <= 2
    assert {each.unit_code for each in chain(*asked)} == {"371304000000"}
    assert all("未报送的村（社区）可解释约" in each.message for each in found)


def test_days_on_which_no_village_is_due_say_nothing_about_villages(catalog: Catalog) -> None:
    found = []
    for first in range(1, 15):
        totals, sums = with_villages(catalog, counted=0.0, days=first)
        found += find_village_gaps(sums, totals, PUBLISHED, rule(catalog, VillageGap))
        sums.expected[:, -first:] = sums.reported[:, -first:] = 0
        assert find_village_gaps(sums, totals, PUBLISHED, rule(catalog, VillageGap)) == []
    assert found


def test_a_county_that_reports_its_villages_sum_as_its_own_is_asked_about_once(catalog: Catalog) -> None:
    same = rule(catalog, VillageSum)
    asked = []
    for first in range(1, 8):
        totals, sums = with_villages(catalog)
        sums.own[3, 0, -first:] = sums.villages[3, 0, -first:] = np.arange(20, 20 + first)
        asked.append(find_village_sums(sums, totals, PUBLISHED, same))
    assert [len(found) for found in asked] == [int(first == same.reports) for first in range(1, 8)]
    assert "是否重复计算" in asked[same.reports - 1][0].message


def test_the_sum_of_villages_is_the_total_without_county_and_townships(catalog: Catalog) -> None:
    totals = months(catalog)
    own = replace(
        totals,
        divisions=totals.divisions.assign(level=["county", *["township"] * (COUNTIES - 1)], parent_id=1),
        values=np.ones_like(totals.values),
    )
    shape = (COUNTIES, len(totals.days))
    sums = sum_villages(totals, own, np.ones(shape), np.ones(shape))
    column = sums.measures.index("consultation")
    total = totals.values[series(totals, 0, "consultation")]
    assert sums.villages[0, column].tolist() == np.maximum(total - COUNTIES, 0).tolist()
    assert sums.own[0, column].tolist() == [1.0] * len(totals.days)


# --- the queue -----------------------------------------------------------------------------------------------


def test_a_flag_is_due_after_working_days_also_beyond_the_years_the_calendar_knows(catalog: Catalog) -> None:
    workdays = catalog.calendars["workdays"]
    assert workdays.workday_after(date(2026, 2, 13), 3, is_guess=True) == date(2026, 2, 25), (
        "the 14th is worked, then the Spring Festival"
    )
    assert workdays.workday_after(date(2099, 1, 1), 2, is_guess=True) == date(2099, 1, 5)


def test_a_score_is_the_effect_as_a_share_of_what_is_usually_published() -> None:
    assert Published({"consultation": 500.0}).share("consultation", -50) == pytest.approx(0.1)
    assert Published({"consultation": 500.0}).share("consultation", 50, days=10) == pytest.approx(0.01)
    assert Published({}).share("consultation", 3) == 3
