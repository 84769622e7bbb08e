"""The pipeline against the simulator's truth: in each scenario every sum, the ledger, the quarantine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from etl.connections import connection_from_env
from etl.daily import restate, run_day
from etl.divisions import load_divisions
from etl.site import Site, open_site
from etl.verify import verify
from simulator.plan import FIRST, SECOND
from simulator.scenarios import SCENARIOS
from simulator.simulation import Simulation
from simulator.truth import Truth
from tests.integration.conftest import read_view

pytestmark = pytest.mark.integration
DAY = date(2026, 3, 2)
COUNTS = ["rows_received", "rows_loaded", "rows_quarantined", "rows_duplicate", "rows_superseded"]
OpenFor = Callable[[Simulation], Site]


def small_world(tmp_path: Path, hotline_url: str, scenario: str) -> Simulation:
    return Simulation(
        home=tmp_path / "simulated",
        days=[DAY],
        scenario=scenario,
        hotline_url=hotline_url,
        counties=["371302000000", "371311000000", "371371000000"],
        townships_per_county=3,
    )


def assert_equal_to_truth(site: Site, truth: Truth) -> None:
    mart = read_view(site, "mart.daily_statistics", stat_date=DAY)
    differences = truth.differences(mart)
    assert differences.empty, f"\n{differences.to_string()}"
    assert len(truth.daily) > 100
    assert not mart.duplicated(["division_code", "measure", "channel"]).any()
    check_reporting(mart, truth.reporting)
    check_ledger(read_view(site, "mart.ledger"), truth.ledger)
    held = read_view(site, "quality.quarantine")
    assert held.groupby("reason_code").size().to_dict() == truth.quarantined
    assert not any(text in str(value) for text in truth.personal for value in held.to_numpy().ravel())


def assert_restated_day_ends_in_truth(
    warehouse: str, tmp_path: Path, hotline_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a warehouse that has divisions and no figures, wherever it is; and nothing in it contradicts itself."""
    with small_world(tmp_path, hotline_url, "restated") as simulation:
        environment = simulation.environment() | {"PLS_WAREHOUSE": warehouse, "PLS_HOME": str(tmp_path)}
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("PLS_CATALOG", str(simulation.catalog_dir))
        site = open_site(connection_from_env)
        try:
            run_day(site, DAY, list(site.catalog.platforms))
            assert_equal_to_truth(site, simulation.truth(FIRST))
            simulation.advance()
            run_day(site, DAY, list(site.catalog.platforms))
            assert_equal_to_truth(site, simulation.truth(SECOND))
            found = verify(site)
            assert found.objects > 0
            assert found.differences == []
        finally:
            site.engine.dispose()


def check_reporting(mart: pd.DataFrame, truth: pd.DataFrame) -> None:
    reported = mart[["division_code", "units_expected", "units_reported"]].drop_duplicates()
    assert not reported["division_code"].duplicated().any(), "the same on every row of a division and day"
    expected = truth[(truth["units_expected"] > 0) | (truth["units_reported"] > 0)]
    both = expected.merge(reported, on="division_code", how="outer", suffixes=("", "_mart"), indicator=True)
    wrong = both[
        (both["_merge"] != "both")
        | (both["units_expected"] != both["units_expected_mart"])
        | (both["units_reported"] != both["units_reported_mart"])
    ]
    assert wrong.empty, f"\n{wrong.to_string()}"
    assert len(expected) > 50


def check_ledger(ledger: pd.DataFrame, truth: pd.DataFrame) -> None:
    assert (ledger["rows_received"] == ledger[COUNTS[1:]].sum(axis=1)).all()
    found = ledger.groupby("platform")[COUNTS].sum()
    wanted = truth.groupby("platform")[COUNTS].sum()
    both = wanted.merge(found, "outer", left_index=True, right_index=True, suffixes=("", "_mart"))
    both = both.fillna(0).astype(int)
    wrong = both[[any(row[name] != row[f"{name}_mart"] for name in COUNTS) for _, row in both.iterrows()]]
    assert wrong.empty, f"\n{wrong.T.to_string()}"


@pytest.mark.parametrize("scenario", ["clean", *SCENARIOS])
def test_every_figure_equals_the_truth_before_and_after_what_came_late(
    scenario: str, tmp_path: Path, hotline_url: str, open_for: OpenFor
) -> None:
    with small_world(tmp_path, hotline_url, scenario) as simulation:
        site = open_for(simulation)
        if simulation.divisions_after_closing.exists():
            load_divisions(site.engine, simulation.divisions_after_closing, DAY, DAY)
        everyone = list(site.catalog.platforms)
        troubles = run_day(site, DAY, everyone)
        truth = simulation.truth(FIRST)
        assert_equal_to_truth(site, truth)
        not_in = truth.batches[truth.batches["state"] != "loaded"]
        assert sorted((each.platform, each.state) for each in troubles) == sorted(
            zip(not_in["platform"], not_in["state"], strict=True)
        )
        simulation.advance()
        run_day(site, DAY, everyone)
        assert_equal_to_truth(site, simulation.truth(SECOND))


@pytest.mark.parametrize("scenario", ["late", "restated", "outage", "older_revision", "missing_sha256"])
def test_restatements_bring_in_what_came_since(
    scenario: str, tmp_path: Path, hotline_url: str, open_for: OpenFor
) -> None:
    with small_world(tmp_path, hotline_url, scenario) as simulation:
        site = open_for(simulation)
        everyone = list(site.catalog.platforms)
        run_day(site, DAY, everyone)
        simulation.advance()
        days, troubles = restate(site, everyone, simulation.plan.since)
        assert (days, troubles) == ([DAY], [])
        differences = simulation.truth(SECOND, "restate").differences(
            read_view(site, "mart.daily_statistics")
        )
        assert differences.empty, f"\n{differences.to_string()}"
        assert not (read_view(site, "mart.ledger")["state"] == "failed").any()


def test_a_second_run_of_the_same_day_changes_no_row_of_any_mart(
    tmp_path: Path, hotline_url: str, open_for: OpenFor
) -> None:
    views = [
        "mart.daily_statistics",
        "mart.ledger",
        "mart.submission_status",
        "quality.quarantine",
        "quality.flag",
    ]
    with small_world(tmp_path, hotline_url, "restated") as simulation:
        site = open_for(simulation)
        everyone = list(site.catalog.platforms)
        run_day(site, DAY, everyone)
        before = {view: read_view(site, view) for view in views}
        run_day(site, DAY, everyone)
        for view in views:
            after = read_view(site, view)
            keys = list(after.columns)
            pd.testing.assert_frame_equal(
                before[view].astype(str).sort_values(keys, ignore_index=True),
                after.astype(str).sort_values(keys, ignore_index=True),
            )
        assert len(before["mart.daily_statistics"]) > 100
