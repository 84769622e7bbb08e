"""The simulated units: what they report is a pure function of seed, unit and day, sized on domain.md."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from etl.catalog import load_catalog
from etl.settings import DIVISIONS_FILE
from simulator.rates import ANSWERS, YEARLY
from simulator.world import World, WorldError

MONDAY = date(2026, 3, 2)
LINYI = "371300000000"


@pytest.fixture(scope="module")
def world() -> World:
    return World.load(load_catalog(None), DIVISIONS_FILE, seed=7)


def test_linyi_has_the_divisions_that_it_has(world: World) -> None:
    levels = [world.level[unit] for unit in world.below(LINYI)]
    assert [levels.count(level) for level in ("city", "county", "township", "village")] == [1, 13, 156, 4_186]


def test_the_same_seed_and_day_give_the_same_figures(world: World) -> None:
    units = world.below("371371000000")
    again = World(world.catalog, world.divisions, seed=7)
    assert world.figures(MONDAY, units) == again.figures(MONDAY, units)
    assert world.figures(MONDAY, units) != world.figures(MONDAY + timedelta(days=1), units)
    assert world.figures(MONDAY, units) != World(world.catalog, world.divisions, seed=8).figures(
        MONDAY, units
    )


def test_a_unit_reports_the_same_whoever_else_is_asked(world: World) -> None:
    units = world.below("371302000000")
    whole = world.figures(MONDAY, units)
    busy = [unit for unit in units if whole[unit]]
    assert len(busy) > 10
    for unit in busy[::7]:
        assert world.figures(MONDAY, [unit])[unit] == whole[unit]


def test_figures_stay_within_what_the_level_reports_and_below_the_ceiling(world: World) -> None:
    seen = 0
    for unit, figures in world.figures(MONDAY, world.below(LINYI)).items():
        allowed = set(world.pairs(world.level[unit]))
        for pair, value in figures.items():
            seen += 1
            assert pair in allowed
            assert 0 < value <= world.catalog.measures[pair[0]].ceiling
    assert seen > 1_000


def test_figures_are_balanced(world: World) -> None:
    looked_at = 0
    for figures in world.figures(MONDAY, world.below(LINYI)).values():
        for channel in world.catalog.channels:
            asked = figures.get(("survey_asked", channel), 0)
            answered = figures.get(("survey_answered", channel), 0)
            assert sum(figures.get((code, channel), 0) for code in ANSWERS) == answered <= asked
            assert figures.get(("hotline_answered", channel), 0) <= figures.get(("hotline_call", channel), 0)
            settled = figures.get(("mediation_settled", channel), 0)
            assert settled <= figures.get(("mediation_accepted", channel), 0)
            looked_at += answered > 0
    assert looked_at > 10


def test_a_year_of_the_province_has_the_volume_of_the_plan(world: World) -> None:
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    for level, channel in (("village", "physical"), ("township", "physical"), ("county", "hotline")):
        total = sum(world.expected(level, day)["consultation", channel] for day in days)
        assert total == pytest.approx(getattr(YEARLY["consultation"][level], channel), rel=1e-9)


def test_a_drawn_day_of_the_province_is_near_its_mean_and_most_villages_have_nothing(world: World) -> None:
    province = [unit for unit in world.level if world.level[unit] != "province"]
    figures = world.figures(MONDAY, province)
    for level, measure, channel in (
        ("village", "counsel_duty_shift", "physical"),
        ("township", "consultation", "physical"),
        ("county", "hotline_call", "hotline"),
    ):
        drawn = sum(figures[u].get((measure, channel), 0) for u in province if world.level[u] == level)
        assert drawn == pytest.approx(world.expected(level, MONDAY)[measure, channel], rel=0.15)
    villages = [unit for unit in province if world.level[unit] == "village"]
    assert len(villages) == 62_074
    assert 0.85 < sum(not figures[unit] for unit in villages) / len(villages) < 0.99


def test_holidays_and_weekends_are_quiet(world: World) -> None:
    def calls(day: date) -> float:
        return world.expected("county", day)["hotline_call", "hotline"]

    assert calls(date(2026, 3, 7)) < 0.6 * calls(MONDAY)
    assert calls(date(2026, 10, 1)) < 0.4 * calls(date(2026, 10, 15))
    assert world.expected("village", date(2026, 10, 1))["consultation", "physical"] == 0


def test_an_unknown_prefix_is_refused(world: World) -> None:
    assert len(world.cities("37")) == 16
    with pytest.raises(WorldError, match="3799"):
        world.cities("3799")
