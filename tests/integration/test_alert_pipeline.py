"""The ladder after real pulls from simulated platforms: it names whom the simulation kept silent, and nobody else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path

import pandas as pd
import pytest

from etl.alerts import run_rounds
from etl.catalog.models import Recipient
from etl.clock import SHANGHAI
from etl.daily import restate, run_day
from etl.site import Site
from simulator.plan import FIRST, SECOND
from simulator.simulation import Simulation
from tests.integration.conftest import read_view
from tests.integration.test_pipeline_truth import DAY, small_world

DUE = datetime.combine(DAY, time(18), SHANGHAI)
CUTOFF = datetime.combine(DAY + timedelta(days=1), time(10), SHANGHAI)
CITY = Recipient(id="city", name="临沂市司法局", division="371300000000", email="city@example.org")

OpenFor = Callable[[Simulation], Site]


def at(site: Site, moment: datetime) -> Site:
    """The same site, at a moment, with one contact."""
    catalog = site.catalog.model_copy(update={"recipients": {"city": CITY}})
    return replace(site, clock=lambda: moment, catalog=catalog)


def silent_villages(truth: pd.DataFrame) -> set[str]:
    """Villages that owe the day and have not reported, as the simulation knows."""
    villages = truth[~truth["division_code"].str.endswith("000")]
    return set(villages.loc[villages["units_expected"] > villages["units_reported"], "division_code"])


def told(site: Site, reason: str) -> list[str]:
    alerts = read_view(site, "mart.alert", reason=reason)
    return sorted(code for codes in alerts["unit_codes"] for code in codes)


def test_it_names_those_who_kept_silent_then_those_who_still_do_and_says_who_came(
    tmp_path: Path, hotline_url: str, open_for: OpenFor
) -> None:
    with small_world(tmp_path, hotline_url, "missing") as simulation:
        site = open_for(simulation)
        evening = at(site, DUE + timedelta(minutes=31))
        run_day(evening, DAY, list(site.catalog.platforms))
        run_rounds(site.engine, evening.catalog, DUE + timedelta(hours=1))
        first = told(site, "not_received")
        silent = silent_villages(simulation.truth(FIRST).reporting)
        assert silent
        assert {code for code in first if not code.endswith("000")} == silent
        assert len(set(first)) == len(first)
        simulation.advance()
        morning = at(site, CUTOFF + timedelta(minutes=10))
        restate(morning, list(site.catalog.platforms), None)
        with site.engine.begin() as conn:
            conn.exec_driver_sql("UPDATE quality.alert SET state = 'sent', sent_at = created_at")
        run_rounds(site.engine, morning.catalog, CUTOFF + timedelta(minutes=30))
        still = silent_villages(simulation.truth(SECOND).reporting)
        assert {code for code in told(site, "missing") if not code.endswith("000")} == still
        came = {code for code in told(site, "cleared") if not code.endswith("000")}
        assert came == silent - still


@pytest.mark.parametrize("scenario", ["outage"])
def test_a_platform_that_does_not_answer_is_told_to_its_operator_and_its_units_are_not_reminded(
    scenario: str, tmp_path: Path, hotline_url: str, open_for: OpenFor
) -> None:
    with small_world(tmp_path, hotline_url, scenario) as simulation:
        site = open_for(simulation)
        evening = at(site, DUE + timedelta(minutes=31))
        (trouble,) = run_day(evening, DAY, list(site.catalog.platforms))
        run_rounds(site.engine, evening.catalog, DUE + timedelta(hours=1))
        outages = read_view(site, "mart.alert", reason="outage")
        assert [list(names) for names in outages["platforms"]] == [[trouble.platform]]
        assert told(site, "not_received") == []
        status = read_view(site, "mart.submission_status", stat_date=DAY)
        assert (status["is_expected"] & status["received_at"].isna()).sum() > 0
