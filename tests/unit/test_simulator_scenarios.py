"""Each scenario plants its fault, and the truth knows what becomes of it."""

from __future__ import annotations

import functools
from collections import Counter
from copy import copy
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from etl.catalog import load_catalog
from etl.settings import DIVISIONS_FILE
from simulator.plan import FIRST, SECOND, Plan
from simulator.planting import ScenarioError
from simulator.platforms import Area, declares, write_declarations
from simulator.scenarios import SCENARIOS, plant
from simulator.truth import Truth, truth_of
from simulator.world import World, WorldError

DAYS = [date(2026, 3, 2), date(2026, 3, 3)]
COUNTS = ["rows_loaded", "rows_quarantined", "rows_duplicate", "rows_superseded"]

QUARANTINED = {
    "unit_unknown": "unit_unknown",
    "unit_outside_area": "unit_outside_area",
    "unit_inactive": "unit_inactive",
    "measure_unknown": "measure",
    "channel_unknown": "channel",
    "level": "level",
    "value_text": "value",
    "value_negative": "value",
    "value_fraction": "value",
    "value_ceiling": "value",
    "date_other": "date",
    "date_future": "date",
    "structure": "structure",
    "balance": "balance",
    "personal": "personal",
    "two_platforms": "conflict",
}
"""Scenarios whose count of planted rows is the count of quarantined rows, and their reason code."""

STATES = {
    "outage": "failed",
    "missing_page": "failed",
    "digest_mismatch": "failed",
    "html_answer": "rejected",
    "code_not_zero": "rejected",
    "unauthorised": "rejected",
    "oversized": "rejected",
    "unreadable_workbook": "rejected",
    "wrong_header": "rejected",
}
PASSING = ("burst_429", "burst_5xx", "truncated_body", "slow_pages", "missing_total_row", "foreign_files")


@pytest.fixture(scope="module")
def world() -> World:
    return World.load(load_catalog(None), DIVISIONS_FILE, seed=7)


@pytest.fixture(scope="module")
def catalog_dir(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("catalog")
    write_declarations(
        folder, Area.choose(world, "3713", ["371302000000", "371312000000", "371371000000"], 3), True
    )
    return folder


@pytest.fixture(scope="module")
def planned(world: World, catalog_dir: Path):
    made: dict[str, Plan] = {}

    def plan(name: str) -> Plan:
        if name not in made:
            made[name] = Plan(world, load_catalog(catalog_dir), DAYS)
            plant(made[name], [name])
        return made[name]

    return plan


@pytest.fixture(scope="module")
def known(planned):
    """The truth by scenario, phase and way of pulling again."""
    return functools.cache(lambda name, phase, redo="run-day": truth_of(planned(name), phase, redo))


@pytest.fixture(scope="module")
def clean(known) -> Truth:
    return known("clean", FIRST)


def parent_sums(truth: Truth, world: World) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Stated figures of each division, and its own cells plus its children's stated figures."""
    keys = ["division_code", "stat_date", "measure", "channel"]
    stated = truth.daily[truth.daily["channel"] != "all"].set_index(keys)["value"].to_frame()
    own = pd.DataFrame(
        [
            (unit, day, *pair, value)
            for (unit, day), cells in truth.cells.items()
            for pair, value in cells.items()
        ],
        columns=[*keys, "value"],
    )
    children = stated.reset_index()
    children["division_code"] = children["division_code"].map(world.parent)
    added = pd.concat([own, children.dropna()]).groupby(keys)["value"].sum().to_frame()
    return stated.sort_index(), added.sort_index()


def test_the_shipped_catalogue_declares_all_of_linyi_and_nothing_else(world: World) -> None:
    shipped = load_catalog(None)
    assert declares(shipped, Area.choose(world, "3713", None, None), hotline=True)
    assert not declares(shipped, Area.choose(world, "3701", None, None), hotline=True)
    assert not declares(shipped, Area.choose(world, "3713", ["371302000000"], None), hotline=True)


def test_a_clean_day_is_loaded_whole(clean: Truth, planned) -> None:
    figures = sum(len(s.figures) for batch in planned("clean").batches(FIRST) for s in batch.submissions)
    assert figures > 300
    assert clean.ledger["rows_received"].sum() == clean.ledger["rows_loaded"].sum() == figures
    assert clean.quarantined == {}
    assert set(clean.batches["state"]) == {"loaded"}
    assert (clean.reporting["units_expected"] == clean.reporting["units_reported"]).all()


def test_pulling_an_unchanged_day_again_changes_nothing(clean: Truth, known) -> None:
    for redo in ("run-day", "restate"):
        again = known("clean", SECOND, redo)
        pd.testing.assert_frame_equal(again.daily, clean.daily)
        pd.testing.assert_frame_equal(again.ledger, clean.ledger)


def test_villages_and_townships_rest_at_weekends_and_counties_do_not(world: World, catalog_dir: Path) -> None:
    plan = Plan(world, load_catalog(catalog_dir), [date(2026, 3, 7)])
    assert Counter(batch.family for batch in plan.batches(FIRST)) == {"rest": 4, "database": 1}
    assert (
        truth_of(plan, FIRST).reporting.set_index("division_code").loc["371300000000", "units_expected"] == 4
    )


def test_a_shifted_workday_is_a_workday(world: World, catalog_dir: Path) -> None:
    plan = Plan(world, load_catalog(catalog_dir), [date(2026, 2, 14)])
    assert "workbook" in {batch.family for batch in plan.batches(FIRST)}


def test_counties_leave_to_the_hotline_what_the_hotline_delivers(planned) -> None:
    sent = Counter()
    for batch in planned("clean").batches(FIRST):
        for submission in batch.submissions:
            sent[batch.family] += sum(f.measure == "hotline_call" for f in submission.figures)
            if batch.platform.startswith("county"):
                assert not any(
                    f.channel == "hotline" and f.measure == "survey_asked" for f in submission.figures
                )
                assert not any(f[:2] == ("consultation", "hotline") for f in submission.figures)
    assert sent["database"] == 6
    assert sent["rest"] <= 2, "only the city's own centre counts its calls itself"


@pytest.mark.parametrize("name", ["clean", *SCENARIOS])
def test_a_parent_is_its_own_figures_and_its_childrens(name: str, known, world: World) -> None:
    for phase in (FIRST, SECOND):
        truth = known(name, phase)
        stated, added = parent_sums(truth, world)
        assert len(stated) > 100
        pd.testing.assert_frame_equal(stated, added)
        both = truth.daily.assign(total=truth.daily["channel"] == "all")
        by_kind = both.groupby("total")["value"].sum()
        assert by_kind[True] == by_kind[False]


@pytest.mark.parametrize("name", ["clean", *SCENARIOS])
def test_every_row_received_ends_somewhere(name: str, known) -> None:
    for phase, redo in ((FIRST, "run-day"), (SECOND, "run-day"), (SECOND, "restate")):
        truth = known(name, phase, redo)
        assert (truth.ledger["rows_received"] == truth.ledger[COUNTS].sum(axis=1)).all()
        assert truth.ledger["rows_quarantined"].sum() == sum(truth.quarantined.values())


@pytest.mark.parametrize("name", ["clean", *SCENARIOS])
def test_both_ways_of_pulling_again_end_in_the_same_figures(name: str, known) -> None:
    one, other = (known(name, SECOND, redo) for redo in ("run-day", "restate"))
    pd.testing.assert_frame_equal(one.daily, other.daily)
    pd.testing.assert_frame_equal(one.reporting, other.reporting)


@pytest.mark.parametrize(("name", "reason"), QUARANTINED.items())
def test_what_was_planted_is_quarantined(name: str, reason: str, planned, known) -> None:
    plan = planned(name)
    assert plan.planted[name] > 0
    assert known(name, FIRST).quarantined == {reason: plan.planted[name]}


@pytest.mark.parametrize(("name", "state"), STATES.items())
def test_a_spoilt_batch_is_failed_or_rejected_and_heals(
    name: str, state: str, planned, known, clean: Truth
) -> None:
    plan = planned(name)
    first, second = known(name, FIRST), known(name, SECOND)
    spoilt = first.batches[first.batches["state"] != "loaded"]
    days = len(DAYS) if plan.rest_faults else 1
    # A platform is spoilt on every day, a file on its own.
    assert len(spoilt) == plan.planted[name] + len(plan.rest_faults) * (days - 1)
    assert set(spoilt["state"]) == {state}
    assert len(first.differences(clean.daily)) > 0
    pd.testing.assert_frame_equal(second.daily, clean.daily)


@pytest.mark.parametrize("name", PASSING)
def test_what_heals_or_is_ignored_leaves_no_trace(name: str, planned, known, clean: Truth) -> None:
    plan = planned(name)
    truth = known(name, FIRST)
    pd.testing.assert_frame_equal(truth.daily, clean.daily)
    assert sum(truth.ignored.values()) == (plan.planted[name] if name == "foreign_files" else 0)


@pytest.mark.parametrize("name", ["late", "missing_sha256"])
def test_what_is_late_is_there_in_the_second_phase(name: str, known, clean: Truth) -> None:
    first, second = known(name, FIRST), known(name, SECOND)
    assert first.reporting["units_reported"].sum() < clean.reporting["units_reported"].sum()
    pd.testing.assert_frame_equal(second.daily, clean.daily)
    pd.testing.assert_frame_equal(second.reporting, clean.reporting)


def test_what_is_missing_never_comes(known, clean: Truth) -> None:
    first, second = known("missing", FIRST), known("missing", SECOND)
    pd.testing.assert_frame_equal(first.daily, second.daily)
    assert second.reporting["units_reported"].sum() < clean.reporting["units_reported"].sum()
    assert (second.reporting["units_expected"] == clean.reporting["units_expected"]).all()


def test_a_restatement_replaces_and_withdraws(planned, known, clean: Truth) -> None:
    plan = planned("restated")
    first, second = known("restated", FIRST), known("restated", SECOND)
    pd.testing.assert_frame_equal(first.daily, clean.daily)
    assert len(second.differences(first.daily)) >= plan.planted["restated"]
    withdrawn = [key for key in first.cells if key not in second.cells]
    assert len(withdrawn) >= 1, "the township file leaves a unit out"
    assert sum(len(set(first.cells[key]) - set(second.cells.get(key, {}))) for key in first.cells) > 0


def test_an_older_revision_is_superseded(planned, known) -> None:
    plan = planned("older_revision")
    first, second = known("older_revision", FIRST), known("older_revision", SECOND)
    pd.testing.assert_frame_equal(first.daily, second.daily)
    assert first.ledger["rows_superseded"].sum() == 0
    assert second.ledger["rows_superseded"].sum() > plan.planted["older_revision"]


def test_the_same_revision_with_other_content_changes_nothing(planned, known) -> None:
    plan = planned("conflict_same_revision")
    first, second = known("conflict_same_revision", FIRST), known("conflict_same_revision", SECOND)
    pd.testing.assert_frame_equal(first.daily, second.daily)
    assert first.quarantined == {"conflict": 20}, "two rows of ten figures of one county and one time"
    assert second.quarantined == {"conflict": plan.planted["conflict_same_revision"]}


def test_the_same_figure_twice_is_collapsed_or_held(planned, known, clean: Truth) -> None:
    equal, different = known("twice_equal", FIRST), known("twice_different", FIRST)
    pd.testing.assert_frame_equal(equal.daily, clean.daily)
    assert equal.ledger["rows_duplicate"].sum() >= planned("twice_equal").planted["twice_equal"] == 6
    assert different.quarantined == {"conflict": 2 * planned("twice_different").planted["twice_different"]}


def test_differences_find_a_wrong_a_lacking_and_an_invented_figure(clean: Truth) -> None:
    right = clean.daily
    assert clean.differences(right).empty
    wrong = right.copy()
    wrong.loc[0, "value"] += 1
    assert len(clean.differences(wrong)) == 1
    assert len(clean.differences(right.drop(index=5))) == 1
    invented = right.iloc[[0]].assign(measure="invented", value=2)
    assert len(clean.differences(pd.concat([right, invented]))) == 1
    assert clean.differences(pd.concat([right, invented.assign(value=0)])).empty


def test_scenarios_combine_without_meeting(world: World, catalog_dir: Path) -> None:
    plan = Plan(world, load_catalog(catalog_dir), DAYS)
    plant(plan, ["value_text", "wrong_header", "late"])
    assert truth_of(plan, SECOND).quarantined == {"value": plan.planted["value_text"]}


@pytest.mark.parametrize("seed", range(8))
def test_a_submission_of_another_day_meets_nothing_that_is_wrong_there(
    seed: int, world: World, catalog_dir: Path
) -> None:
    """A platform lists by time what came for any day: beside one that was held it would be loaded."""
    days = [date(2026, 3, day) for day in range(2, 14)]
    world = copy(world)
    world.seed = seed
    clean, plan = (Plan(world, load_catalog(catalog_dir), days) for _ in range(2))
    plant(plan, ["restated", "date_other", "structure", "balance", "twice_different", "value_text"])
    untouched = {
        (each.platform, each.stat_date): each for each in clean.batches(FIRST) if each.family == "rest"
    }
    met = {
        (batch.platform, date.fromisoformat(submission.stat_date))
        for batch in plan.batches(FIRST)
        for submission in batch.submissions
        if batch.family == "rest" and submission.stat_date != batch.stat_date.isoformat()
    }
    assert met & set(untouched)
    for phase in (FIRST, SECOND):
        found = {(each.platform, each.stat_date): each for each in plan.batches(phase)}
        assert [key for key in met & set(untouched) if found[key] != untouched[key]] == []


def test_an_unknown_scenario_is_refused(world: World, catalog_dir: Path) -> None:
    with pytest.raises(ScenarioError, match="flood"):
        plant(Plan(world, load_catalog(catalog_dir), DAYS), ["flood"])


def test_an_area_is_cut_down_by_the_parent_column_and_strangers_are_refused(world: World) -> None:
    area = Area.choose(world, "37", ["371302000000", "370102000000"], 2)
    assert area.cities == ("370100000000", "371300000000")
    assert {city: len(units) for city, units in area.townships.items()} == dict.fromkeys(area.cities, 2)
    with pytest.raises(WorldError, match="370102000000"):
        Area.choose(world, "3713", ["370102000000"], 2)
