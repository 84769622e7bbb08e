"""From when on restatements asks: nothing that a platform received may fall between two questions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from etl.daily import restate, run_day
from etl.site import Site
from simulator.plan import SECOND
from simulator.simulation import Simulation
from tests.integration.conftest import read_view

DAYS = [date(2026, 3, 2), date(2026, 3, 3)]


def two_counties(folder: Path, hotline_url: str, days: list[date], scenario: str) -> Simulation:
    return Simulation(
        home=folder / "simulated",
        days=days,
        scenario=scenario,
        hotline_url=hotline_url,
        counties=["371302000000", "371311000000"],
        townships_per_county=1,
    )


def test_a_later_day_that_went_well_does_not_hide_the_day_that_failed(
    tmp_path: Path, hotline_url: str, open_for: Callable[[Simulation], Site]
) -> None:
    with two_counties(tmp_path, hotline_url, DAYS, "unauthorised") as simulation:
        site = replace(open_for(simulation), clock=lambda: datetime(2026, 3, 5, 12, tzinfo=UTC))
        everyone = list(site.catalog.platforms)
        assert [each.state for each in run_day(site, DAYS[0], everyone)] == ["rejected"]
        simulation.advance()
        assert run_day(site, DAYS[1], everyone) == []

        days, troubles = restate(site, everyone, None)

        assert troubles == []
        assert DAYS[0] in days
        truth = simulation.truth(SECOND, "restate")
        assert len(truth.daily) > 100
        wrong = truth.differences(read_view(site, "mart.daily_statistics"))
        assert wrong.empty, f"\n{wrong.to_string()}"


@pytest.mark.parametrize("scenario", ["unauthorised", "html_answer", "outage"])
def test_a_day_that_a_platform_did_not_answer_for_is_asked_for_until_it_does(
    scenario: str, tmp_path: Path, hotline_url: str, open_for: Callable[[Simulation], Site]
) -> None:
    much_later = datetime(2027, 3, 5, tzinfo=UTC)
    with two_counties(tmp_path, hotline_url, DAYS[:1], scenario) as simulation:
        site = replace(open_for(simulation), clock=lambda: datetime(2026, 3, 5, 12, tzinfo=UTC))
        everyone = list(site.catalog.platforms)
        refused = run_day(site, DAYS[0], everyone)
        assert refused

        days, again = restate(site, everyone, much_later)
        assert days == [], "nothing came: neither the day nor today has anything to show"
        assert {(each.platform, each.stat_date) for each in again} > {
            (each.platform, each.stat_date) for each in refused
        }

        simulation.advance()
        assert restate(site, everyone, much_later) == (DAYS[:1], [])
        truth = simulation.truth(SECOND, "restate")
        assert len(truth.daily) > 50
        wrong = truth.differences(read_view(site, "mart.daily_statistics"))
        assert wrong.empty, f"\n{wrong.to_string()}"
        assert restate(site, everyone, much_later) == ([], []), "what came once is not asked for again"
