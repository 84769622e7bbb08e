"""kill -9 in the middle of every stage; a retry ends in the same marts as a run that was never cut off."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from etl.daily import run_day
from etl.site import Site
from simulator.plan import FIRST
from simulator.simulation import Simulation
from tests.integration.conftest import read_view
from tests.integration.killed_run import STAGES
from tests.integration.test_pipeline_truth import DAY, assert_equal_to_truth, small_world

OUR_OWN = ["batch_id", "quarantine_id", "flag_id", "pulled_at", "known_at"]
"""Our clock and surrogate numbers, which a retry may give anew (ruling 5)."""


def marts(site: Site) -> dict[str, pd.DataFrame]:
    found = {}
    for view in (
        "mart.daily_statistics",
        "mart.ledger",
        "mart.submission_status",
        "quality.quarantine",
        "quality.flag",
    ):
        frame = read_view(site, view)
        frame = frame.drop(columns=[name for name in OUR_OWN if name in frame]).astype(str)
        found[view] = frame.sort_values(list(frame.columns), ignore_index=True)
    return found


@pytest.fixture
def simulation(tmp_path: Path, hotline_url: str) -> Simulation:
    return small_world(tmp_path, hotline_url, "measure_unknown")


@pytest.mark.parametrize("stage", STAGES)
def test_a_run_killed_in_this_stage_and_retried_ends_in_the_same_marts(
    stage: str, simulation: Simulation, open_for: Callable[[Simulation], Site]
) -> None:
    with simulation:
        undisturbed = open_for(simulation)
        run_day(undisturbed, DAY, list(undisturbed.catalog.platforms))
        site = open_for(simulation)
        killed = subprocess.run(
            [sys.executable, "-m", "tests.integration.killed_run", stage, DAY.isoformat()],
            cwd=Path(__file__).parents[2],
            env={**os.environ},
            capture_output=True,
            text=True,
            check=False,
        )
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        run_day(site, DAY, list(site.catalog.platforms))
        assert_equal_to_truth(site, simulation.truth(FIRST))
        expected, found = marts(undisturbed), marts(site)
        for view, frame in expected.items():
            pd.testing.assert_frame_equal(found[view], frame, obj=view)
        assert len(expected["mart.ledger"]) > 5
        assert len(expected["quality.quarantine"]) > 0
