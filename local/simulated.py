"""A site on simulated platforms, in a folder of its own: what the demo and the province run on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from etl.clock import SHANGHAI
from etl.periods import Period
from etl.settings import DIVISIONS_FILE
from etl.warehouse import WarehouseError, embedded_server
from local.api import ApiError
from local.stack import PROJECT, Stack, StackError

DUE = (18, 30)
"""When the DAG's own run of a day starts, Asia/Shanghai."""
SEED = 7
"""Of the simulated figures."""


class SimulatedError(Exception):
    """It cannot go on; the message says why."""


@dataclass
class Watch:
    """Tells how long each part took. since: time.monotonic() of the last part's end."""

    since: float

    def lap(self, words: str) -> None:
        """Print what is done, and the seconds that it took."""
        now = time.monotonic()
        print(f"  {now - self.since:4.0f} s  {words}", flush=True)
        self.since = now


@dataclass(frozen=True)
class Simulated:
    """Platforms of the cities whose codes begin with the prefix, for these days and the stocks of a month. name: of
    the place, as people read it."""

    name: str
    prefix: str
    days: list[date]
    month: Period


@dataclass(frozen=True)
class Running:
    """The stack that runs on them. platforms: the process that serves them. catalog: the folder that declares them,
    None where the project's own catalogue does."""

    stack: Stack
    platforms: subprocess.Popen[str]
    catalog: Path | None


@contextmanager
def run_simulated(home: Path, simulated: Simulated, watch: Watch) -> Iterator[Running]:
    """Airflow on the embedded PostgreSQL of `home`, which is emptied first, and on the platforms; all is stopped at the
    end, the files stay. Raises SimulatedError, StackError or WarehouseError in words for a person."""
    stack = Stack.from_env(home)
    stack.refuse_taken_port()
    _empty(stack)
    server = embedded_server(home)
    try:
        server.ensure_database("hotline")
        run_etl(home, "init")
        run_etl(home, "divisions", "load", str(DIVISIONS_FILE))
        watch.lap("PostgreSQL runs, the warehouse is made, the divisions of Shandong are in")
        with _serve(home, simulated, server.url("hotline")) as (platforms, ready):
            watch.lap(
                f"the simulated platforms of {simulated.name} serve HTTP, SFTP, workbooks and a database"
            )
            stack = Stack.from_env(home, Path(ready["connections"]))
            stack.start()
            watch.lap(f"Airflow is healthy on {stack.url}")
            yield Running(stack, platforms, Path(ready["catalog"]) if ready["catalog"] else None)
    finally:
        stack.stop()
    print("Airflow, platforms and PostgreSQL are stopped; the files stay.")


def newest_due(now: datetime) -> date:
    """The newest day whose daily run is due at `now` (with time zone)."""
    local = now.astimezone(SHANGHAI)
    return local.date() if (local.hour, local.minute) >= DUE else local.date() - timedelta(days=1)


def settings_of(home: Path) -> dict[str, str]:
    """The PLS_* variables of the site in `home`; its catalogue is the one that the platforms come with."""
    return {"PLS_HOME": str(home), "PLS_WAREHOUSE": "embedded", "PLS_ARCHIVE": "", "PLS_CATALOG": ""}


def run_etl(home: Path, *words: str) -> None:
    """Run a command of `python -m etl` on the site in `home`. Raises SimulatedError with what it printed."""
    ended = subprocess.run(
        [sys.executable, "-m", "etl", *words],
        cwd=PROJECT,
        env=os.environ | settings_of(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if ended.returncode != 0:
        raise SimulatedError(f"`python -m etl {' '.join(words)}` failed:\n{ended.stdout}{ended.stderr}")


def run_told(action: Callable[[], None]) -> int:
    """Do it, saying on the terminal what went wrong or that it was stopped; exit status 0 done, 1 failed."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        action()
    except (SimulatedError, StackError, ApiError, WarehouseError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 1
    return 0


def short(path: Path) -> str:
    """The path as it is shown."""
    return os.path.relpath(path)


def _empty(stack: Stack) -> None:
    marker = stack.home / ".demo"
    if stack.home.exists() and any(stack.home.iterdir()):
        if not marker.exists():
            raise SimulatedError(
                f"{stack.home} is not empty and not of an earlier demo. Name another folder: --home"
            )
        stack.stop()
        shutil.rmtree(stack.home)
    stack.home.mkdir(parents=True, exist_ok=True)
    marker.touch()


@contextmanager
def _serve(
    home: Path, simulated: Simulated, hotline_url: str
) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Serve the platforms meanwhile; gives their process and what it says when it is ready."""
    days = simulated.days
    command = [sys.executable, "-m", "simulator", "serve", "--home", str(home / "platforms")]
    command += ["--prefix", simulated.prefix, "--seed", str(SEED)]
    command += ["--start", days[0].isoformat(), "--days", str(len(days))]
    command += ["--month", simulated.month.starts_on.isoformat(), "--hotline-url", hotline_url]
    log = home / "platforms.log"
    with log.open("w") as errors:
        serving = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=os.environ | settings_of(home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    try:
        assert serving.stdout is not None
        ready = serving.stdout.readline()
        if not ready:
            raise SimulatedError(f"The simulated platforms did not start: {log.read_text()[-500:]}")
        yield serving, json.loads(ready)
    finally:
        serving.terminate()
        try:
            serving.wait(timeout=20)
        except subprocess.TimeoutExpired:
            serving.kill()
