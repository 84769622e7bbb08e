"""A running Airflow with the project's DAGs, on platforms that are simulated in this process."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from etl.clock import SHANGHAI
from etl.divisions import load_divisions
from etl.settings import DIVISIONS_FILE, Settings
from etl.warehouse import embedded_server, migrate, open_warehouse
from local.api import Api
from local.stack import HOST, PROJECT, Stack
from simulator.simulation import Simulation

# Recent ones: restatements asks for what was received since a week ago. Whole: what came late has come by now.
DAYS = [datetime.now(SHANGHAI).date() - timedelta(days=back) for back in (3, 2)]


@dataclass(frozen=True)
class Running:
    """stack and api: Airflow. simulation: the platforms. engine: the warehouse."""

    stack: Stack
    api: Api
    simulation: Simulation
    engine: sa.Engine

    def airflow(self, *words: str) -> str:
        """Run an airflow command in the stack's environment and return what it printed."""
        ended = subprocess.run(
            [sys.executable, "-m", "local.stack", "run", "airflow", *words],
            cwd=PROJECT,
            env=os.environ | {"PLS_HOME": str(self.stack.home), "PLS_AIRFLOW_PORT": str(self.stack.port)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def reasons(self, dag_id: str, run_id: str) -> str:
        """Why tasks of a run failed, from their logs: for the message of a test."""
        logs = (self.stack.logs / f"dag_id={dag_id}" / f"run_id={run_id}").rglob("*.log")
        lines = [
            json.loads(line)
            for log in sorted(logs)
            for line in log.read_text().splitlines()
            if "exc_value" in line
        ]
        told = [f"{line['task_id']}: {line['error_detail'][0]['exc_value']}" for line in lines]
        return "\n".join(told) or f"failed without a word: {self.api.failed_tasks(dag_id, run_id)}"

    def read(self, query: str, **values: object) -> pd.DataFrame:
        """Rows of a query of the warehouse."""
        with self.engine.connect() as conn:
            result = conn.execute(sa.text(query), values)
            return pd.DataFrame(result.all(), columns=list(result.keys()))


@pytest.fixture(scope="session")
def running() -> Iterator[Running]:
    """Three counties of Linyi, one of whose platforms refuses our token at first."""
    # Not pytest's own folder: as root, the embedded server must be able to enter this one.
    home = Path(tempfile.mkdtemp(prefix="pls-e2e-", dir="/var/tmp"))
    home.chmod(0o755)
    server = embedded_server(home)
    server.ensure_database("hotline")
    engine = open_warehouse(Settings(home, "embedded", "", None))
    migrate(engine)
    load_divisions(engine, DIVISIONS_FILE, None, DAYS[0])
    simulation = Simulation(
        home=home / "platforms",
        days=DAYS,
        scenario="unauthorised",
        hotline_url=server.url("hotline"),
        counties=["371302000000", "371311000000", "371371000000"],
        townships_per_county=2,
    )
    with socket.create_server((HOST, 0)) as probe, socket.create_server((HOST, 0)) as other:
        port, portal_port = probe.getsockname()[1], other.getsockname()[1]
    stack = Stack(home, port, home / "connections.env", portal_port)
    try:
        with simulation:
            shutil.copy(simulation.write_connections(), home / "connections.env")
            stack.start()
            with Api(stack) as api:
                yield Running(stack, api, simulation, engine)
    finally:
        engine.dispose()
        stack.stop()
        shutil.rmtree(home, ignore_errors=True)
