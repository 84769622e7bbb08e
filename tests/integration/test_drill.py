"""Crash drill: whatever happens in the middle of a day, running it again ends in the same marts."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from etl.site import Site, open_site
from etl.verify import verify
from etl.warehouse import ServerAddress, embedded_server, stop_embedded
from simulator.plan import FIRST
from simulator.simulation import Simulation
from tests.integration.conftest import TEMPLATE, copy_database, make_template, read_view
from tests.integration.test_kills import marts
from tests.integration.test_pipeline_truth import COUNTS, DAY

pytestmark = pytest.mark.integration
ACCIDENTS = 100
SEED = 20260302
PARTS = 4
KINDS = ["kill"] * 8 + ["restart", "full"]
ENDS = {"kill": {-signal.SIGKILL}, "full": {1}, "restart": {0, 1}}
"""How a run may end; between two statements it outlives a restart."""


@dataclass
class Drill:
    """A process that runs days, on a server of its own."""

    process: subprocess.Popen[str]
    home: Path
    server: ServerAddress
    simulation: Simulation
    made: int = 0

    def new_site(self) -> dict[str, str]:
        """The environment of a site with an empty warehouse."""
        self.made += 1
        name = f"drill_{self.made}"
        copy_database(self.server, TEMPLATE, name)
        folder = self.home / "sites" / name
        return self.simulation.environment() | {
            "PLS_HOME": str(folder),
            "PLS_WAREHOUSE": self.server.url(name),
            "PLS_CATALOG": str(self.simulation.catalog_dir),
        }

    def run(self, environment: dict[str, str], accident: str = "", moment: int = -1) -> tuple[int, str]:
        """A day with an accident; returns exit status (negative: killed by a signal) and what was said."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        order = {
            "environment": environment,
            "day": DAY.isoformat(),
            "accident": accident,
            "moment": moment,
            "server": str(self.home),
        }
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer["status"], answer["said"]


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    home = Path(tempfile.mkdtemp(prefix="pls-drill-", dir="/var/tmp"))
    home.chmod(0o755)
    server = embedded_server(home)
    make_template(server)
    server.ensure_database("hotline")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.drill"],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        with Simulation(
            home=tmp_path_factory.mktemp("simulated"),
            days=[DAY],
            scenario="measure_unknown",
            hotline_url=server.url("hotline"),
            counties=["371302000000"],
            townships_per_county=1,
        ) as simulation:
            yield Drill(process, home, server, simulation)
    finally:
        process.kill()
        process.wait()
        stop_embedded(home)
        shutil.rmtree(home, ignore_errors=True)


def read_site(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Site:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return open_site()


@pytest.mark.parametrize("part", range(PARTS))
def test_after_any_accident_a_retry_ends_in_the_same_marts(
    part: int, drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = drill.new_site()
    status, said = drill.run(environment)
    assert status == 0, said
    events = int(said)
    assert events > 100
    undisturbed = read_site(environment, monkeypatch)
    expected = marts(undisturbed)
    assert drill.simulation.truth(FIRST).differences(read_view(undisturbed, "mart.daily_statistics")).empty
    undisturbed.engine.dispose()
    seeded = random.Random(SEED + part)
    struck: dict[str, int] = dict.fromkeys(KINDS, 0)
    for _ in range(ACCIDENTS // PARTS):
        kind, moment = seeded.choice(KINDS), seeded.randint(1, events)
        environment = drill.new_site()
        status, said = drill.run(environment, kind, moment)
        where = f"{kind} at event {moment} of {events}"
        assert status in ENDS[kind], f"{where}: {said}"
        struck[kind] += 1
        status, said = drill.run(environment)
        assert status == 0, f"{where}: {said}"
        site = read_site(environment, monkeypatch)
        found = marts(site)
        for view, frame in expected.items():
            pd.testing.assert_frame_equal(found[view], frame, obj=f"{view} after {where}")
        assert verify(site).differences == [], where
        ledger = found["mart.ledger"][COUNTS].astype(int)
        assert (ledger["rows_received"] == ledger[COUNTS[1:]].sum(axis=1)).all(), where
        site.engine.dispose()
        shutil.rmtree(environment["PLS_HOME"], ignore_errors=True)
    assert sum(struck.values()) == ACCIDENTS // PARTS
    assert struck["kill"] > 0
