"""The gate on readings made by hand: what is staged, held back, flagged and counted."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest

from etl.catalog import Catalog, Platform, load_catalog
from etl.conform import Read
from etl.divisions import DayDivisions
from etl.gate import Gated, gate
from etl.sources.frames import Draft, Submission

DAY = date(2026, 3, 2)
PULLED = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
RECEIVED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
COUNTY = "371302000000"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(None)


@pytest.fixture(scope="module")
def divisions() -> DayDivisions:
    """Three divisions: the city, one county of it, and a county that is closed on the day."""
    made = DayDivisions.__new__(DayDivisions)
    made.table = pd.DataFrame(
        {"division_id": [1, 2, 3], "level": ["city", "county", None], "parent_id": [0, 1, 0]},
        index=pd.Index(["371300000000", COUNTY, "371399000000"], name="division_code"),
    )
    return made


def figure(draft: Draft, submission: int, measure: str, value: float, channel: str = "physical") -> None:
    draft.figures([(submission, "page 1", 1, DAY.isoformat(), 1)], [measure], [channel], [value])


def submit(
    draft: Draft,
    unit: str = COUNTY,
    revision: int = 1,
    received_at: datetime | None = RECEIVED,
    *,
    is_nil: bool = False,
) -> int:
    return draft.submit(Submission(unit, DAY.isoformat(), revision, received_at, is_nil=is_nil))


def judge(draft: Draft, catalog: Catalog, divisions: DayDivisions, platform: str = "county-371302") -> Gated:
    cells = {pair: number for number, pair in enumerate(catalog.pairs(), start=1)}
    read = Read(5, catalog.platforms[platform], None, PULLED, draft.reading())
    return gate([read], catalog, cells, divisions, DAY, DAY)


def test_a_batch_without_a_submission_passes_with_nothing(catalog: Catalog, divisions: DayDivisions) -> None:
    gated = judge(Draft(), catalog, divisions)
    assert (len(gated.staged), len(gated.figures), len(gated.quarantine)) == (0, 0, 0)
    assert gated.tally[0]["rows_received"] == 0


def test_a_nil_report_is_staged_and_is_no_row(catalog: Catalog, divisions: DayDivisions) -> None:
    draft = Draft()
    submit(draft, is_nil=True)
    gated = judge(draft, catalog, divisions)
    assert gated.staged[["unit_id", "is_nil", "is_rejected"]].to_numpy().tolist() == [[2, True, False]]
    assert gated.tally[0]["rows_received"] == 0
    assert gated.flags.empty


def test_a_submission_that_says_nothing_is_no_nil_report_and_is_flagged(
    catalog: Catalog, divisions: DayDivisions
) -> None:
    draft = Draft()
    submit(draft)
    gated = judge(draft, catalog, divisions)
    assert gated.staged[["is_nil", "is_rejected"]].to_numpy().tolist() == [[False, False]]
    assert gated.flags[["unit_code", "check_code"]].to_numpy().tolist() == [[COUNTY, "no_figures"]]


@pytest.mark.parametrize(("answered", "held"), [(5.0, 0), (-5.0, 1)])
def test_a_nil_report_with_survey_answers_stays_nil(
    answered: float, held: int, catalog: Catalog, divisions: DayDivisions
) -> None:
    draft = Draft()
    figure(draft, submit(draft, is_nil=True), "survey_answered", answered)
    gated = judge(draft, catalog, divisions)
    assert gated.staged[["is_nil", "is_rejected"]].to_numpy().tolist() == [[True, False]]
    assert (len(gated.figures), len(gated.quarantine)) == (1 - held, held)
    assert gated.tally[0]["rows_received"] == 1


@pytest.mark.parametrize(("is_nil", "words"), [(True, "零报告"), (False, "没有数值的报送")])
def test_a_nil_report_of_an_unknown_unit_is_flagged_and_never_lost(
    is_nil: bool, words: str, catalog: Catalog, divisions: DayDivisions
) -> None:
    draft = Draft()
    submit(draft, "999999999999", is_nil=is_nil)
    gated = judge(draft, catalog, divisions)
    assert (len(gated.staged), len(gated.quarantine)) == (0, 0)
    assert gated.flags[["unit_code", "check_code"]].to_numpy().tolist() == [["999999999999", "nil_held"]]
    assert gated.flags["message"].iloc[0].startswith(f"{words}未采用")


@pytest.mark.parametrize(
    ("unit", "measure", "channel", "value", "reason"),
    [
        ("999999999999", "consultation", "physical", 1.0, "unit_unknown"),
        ("371399000000", "consultation", "physical", 1.0, "unit_inactive"),
        ("371300000000", "consultation", "physical", 1.0, "unit_outside_area"),
        (COUNTY, "heard_of_never", "physical", 1.0, "measure"),
        (COUNTY, "lawyer", "physical", 1.0, "measure"),
        (COUNTY, "answered_on_aware", "physical", 1.0, "measure"),
        (COUNTY, "consultation", "pigeon", 1.0, "channel"),
        (COUNTY, "hotline_call", "physical", 1.0, "channel"),
        (COUNTY, "advice_to_village", "physical", 1.0, "level"),
        (COUNTY, "consultation", "physical", math.nan, "value"),
        (COUNTY, "consultation", "physical", -1.0, "value"),
        (COUNTY, "consultation", "physical", 1.5, "value"),
        (COUNTY, "consultation", "physical", 9e9, "value"),
    ],
)
def test_a_bad_row_is_held_back_with_its_reason_and_the_good_one_beside_it_goes_on(
    unit: str,
    measure: str,
    channel: str,
    value: float,
    reason: str,
    catalog: Catalog,
    divisions: DayDivisions,
) -> None:
    draft = Draft()
    good = submit(draft)
    figure(draft, good, "publicity_event", 4.0)
    figure(draft, submit(draft, unit, revision=2), measure, value, channel)
    gated = judge(draft, catalog, divisions)
    assert gated.quarantine["reason_code"].tolist() == [reason]
    assert gated.quarantine["row_number"].tolist() == [2]
    assert gated.figures["value"].tolist() == [4]
    assert gated.tally[0] | {"scope": None} == {
        "batch_id": 5,
        "rows_received": 2,
        "rows_quarantined": 1,
        "rows_duplicate": 0,
        "scope": None,
        "scope_revision": None,
    }


def test_the_same_figure_twice_is_collapsed_when_equal_and_held_when_not(
    catalog: Catalog, divisions: DayDivisions
) -> None:
    draft = Draft()
    number = submit(draft)
    for measure, value in (
        ("consultation", 3.0),
        ("consultation", 3.0),
        ("publicity_event", 1.0),
        ("publicity_event", 2.0),
    ):
        figure(draft, number, measure, value)
    gated = judge(draft, catalog, divisions)
    assert gated.figures["value"].tolist() == [3]
    assert gated.quarantine["reason_code"].tolist() == ["conflict", "conflict"]
    assert (gated.tally[0]["rows_received"], gated.tally[0]["rows_duplicate"]) == (4, 1)


def test_a_wrong_total_holds_the_whole_submission_and_a_right_one_none(
    catalog: Catalog, divisions: DayDivisions
) -> None:
    for total, held in ((7.0, 0), (8.0, 2)):
        draft = Draft()
        number = submit(draft)
        figure(draft, number, "consultation", 3.0)
        figure(draft, number, "consultation", 4.0, "network")
        draft.total(number, "consultation", None, total, "totals")
        gated = judge(draft, catalog, divisions)
        assert (len(gated.quarantine), len(gated.figures)) == (held, 2 - held)
        assert set(gated.quarantine["reason_code"]) <= {"balance"}
        assert gated.staged["is_rejected"].tolist() == [held > 0]


def test_a_total_over_a_row_that_is_held_back_says_nothing_about_the_others(
    catalog: Catalog, divisions: DayDivisions
) -> None:
    draft = Draft()
    number = submit(draft)
    figure(draft, number, "consultation", 3.0)
    figure(draft, number, "consultation", -4.0, "network")
    draft.total(number, "consultation", None, 7.0, "totals")
    gated = judge(draft, catalog, divisions)
    assert gated.quarantine["reason_code"].tolist() == ["value"]
    assert gated.figures["value"].tolist() == [3]


@pytest.mark.parametrize(("total", "held"), [(5.0, False), (8.0, False), (99.0, True)])
def test_a_figure_that_came_twice_counts_once_and_a_total_may_count_it_twice(
    total: float, held: bool, catalog: Catalog, divisions: DayDivisions
) -> None:
    draft = Draft()
    number = submit(draft)
    for channel, value in (("physical", 3.0), ("physical", 3.0), ("network", 2.0)):
        figure(draft, number, "consultation", value, channel)
    draft.total(number, "consultation", None, total, "totals")
    gated = judge(draft, catalog, divisions)
    assert gated.staged["is_rejected"].tolist() == [held]
    assert gated.tally[0]["rows_duplicate"] == 1


def test_a_figure_that_came_twice_is_asked_of_all_the_same(catalog: Catalog, divisions: DayDivisions) -> None:
    draft = Draft()
    number = submit(draft)
    for measure, value in (("survey_asked", 4.0), ("survey_answered", 5.0), ("survey_answered", 5.0)):
        figure(draft, number, measure, value)
    assert set(judge(draft, catalog, divisions).quarantine["reason_code"]) == {"balance"}


def test_a_files_total_over_a_row_that_could_not_be_read_says_nothing(
    catalog: Catalog, divisions: DayDivisions
) -> None:
    draft = Draft()
    figure(draft, submit(draft), "consultation", 3.0)
    lost = submit(draft, "")
    draft.problem(lost, ("日报表", 6), DAY.isoformat(), "某村|1", "没有单位代码")
    draft.total(-1, "consultation", "physical", 4.0, "日报表!C9")
    gated = judge(draft, catalog, divisions)
    assert gated.quarantine["reason_code"].tolist() == ["structure"]
    assert gated.figures["value"].tolist() == [3]


def test_answers_that_do_not_add_up_hold_the_submission(catalog: Catalog, divisions: DayDivisions) -> None:
    draft = Draft()
    number = submit(draft)
    for measure, value in (
        ("survey_asked", 9.0),
        ("survey_answered", 5.0),
        ("very_satisfied", 3.0),
        ("satisfied", 1.0),
    ):
        figure(draft, number, measure, value)
    gated = judge(draft, catalog, divisions)
    assert set(gated.quarantine["reason_code"]) == {"balance"}
    assert "回答份数" in gated.quarantine["reason"].iloc[0]
    assert "survey" not in gated.quarantine["reason"].iloc[0], "in Chinese words, not codes"


def test_a_balance_check_that_only_warns_flags_the_submission_and_loads_it(
    catalog: Catalog, divisions: DayDivisions
) -> None:
    checks = {
        code: check.model_copy(update={"severity": "warning"}) for code, check in catalog.checks.items()
    }
    warning = catalog.model_copy(update={"checks": checks})
    draft = Draft()
    number = submit(draft)
    for measure, value in (("survey_asked", 4.0), ("survey_answered", 5.0)):
        figure(draft, number, measure, value)
    assert set(judge(draft, catalog, divisions).quarantine["reason_code"]) == {"balance"}
    gated = judge(draft, warning, divisions)
    assert gated.quarantine.empty
    assert len(gated.figures) == 2
    assert len(gated.flags) == 1
    assert gated.flags["check_code"].iloc[0] in checks
    assert "5 / 4" in gated.flags["message"].iloc[0]


def test_a_stamp_later_than_our_pull_becomes_the_pulls_time_and_is_flagged(
    catalog: Catalog, divisions: DayDivisions
) -> None:
    draft = Draft()
    figure(draft, submit(draft, received_at=datetime(2026, 3, 9, tzinfo=UTC)), "consultation", 1.0)
    gated = judge(draft, catalog, divisions)
    assert gated.staged["received_at"].tolist() == [pd.Timestamp(PULLED)]
    assert gated.flags["check_code"].tolist() == ["bad_stamp"]


def test_two_records_of_a_database_with_one_update_time_are_both_held_when_they_differ(
    catalog: Catalog, divisions: DayDivisions
) -> None:
    for second, held in ((4.0, 4), (3.0, 0)):
        draft = Draft()
        for value in (3.0, second):
            number = submit(draft)
            figure(draft, number, "hotline_call", 9.0, "hotline")
            figure(draft, number, "hotline_answered", value, "hotline")
        gated = judge(draft, catalog, divisions, "hotline-371300")
        assert gated.quarantine["reason_code"].tolist() == ["conflict"] * held


def test_a_record_of_another_day_with_the_same_update_time_holds_nothing_else(
    catalog: Catalog, divisions: DayDivisions
) -> None:
    draft = Draft()
    figure(draft, submit(draft), "hotline_call", 9.0, "hotline")
    other = draft.submit(Submission(COUNTY, "2099-01-01", 1, RECEIVED))
    draft.figures([(other, "page 1", 2, "2099-01-01", 1)], ["hotline_call"], ["hotline"], [7.0])
    gated = judge(draft, catalog, divisions, "hotline-371300")
    assert gated.quarantine["reason_code"].tolist() == ["date"]
    assert gated.figures["value"].tolist() == [9]


def test_a_day_after_today_lies_in_the_future_and_is_held(catalog: Catalog, divisions: DayDivisions) -> None:
    draft = Draft()
    figure(draft, submit(draft), "consultation", 1.0)
    cells = dict.fromkeys(catalog.pairs(), 1)
    platform = cast(Platform, SimpleNamespace(**dict(catalog.platforms["county-371302"])))
    reads: Any = [Read(5, platform, None, PULLED, draft.reading())]
    gated = gate(reads, catalog, cells, divisions, DAY, date(2026, 3, 1))
    assert gated.quarantine["reason_code"].tolist() == ["date"]
