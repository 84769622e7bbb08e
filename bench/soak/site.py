"""What the soak plays on: platforms in a process of their own, Airflow that is started again whenever a part of it has
died, an archive on a small disk of its own, and the same days pulled once more where nothing disturbs."""

from __future__ import annotations

import multiprocessing
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

import click
import psycopg

from etl.catalog import Dataset
from etl.clock import SHANGHAI
from etl.daily import restate, run_day
from etl.divisions import load_divisions
from etl.periodic import show_period, waiting_periods
from etl.settings import DIVISIONS_FILE, Settings
from etl.site import open_site
from etl.warehouse import WAREHOUSE_DATABASE, ServerAddress, embedded_server, migrate, open_warehouse
from local.hosts import free_port
from local.stack import COMPONENTS, Stack
from simulator.rest import RestFault
from simulator.simulation import Simulation

COUNTIES = ["371302000000", "371311000000", "371371000000"]
TOWNSHIPS = 2
# Those that fail no run. Not two_platforms: which of two is in first is what a disturbance may rightly change.
SCENARIOS = (
    "late", "restated", "older_revision", "conflict_same_revision", "unit_unknown", "unit_outside_area",
    "measure_unknown", "channel_unknown", "level", "value_text", "value_negative", "value_fraction", "value_ceiling",
    "date_other", "twice_equal", "twice_different", "structure", "balance", "missing_total_row", "foreign_files",
)  # fmt: skip
LOOK_BACK_DAYS = range(6, 9)
"""Days back that are not played: `restate` looks back seven days from when it is run, and must find the same whenever
that is."""
NEWEST_DAYS_BACK = 3
ARCHIVE_MB = 96
MEGABYTE = 1 << 20
CLEAN = "pls_clean"
CLOCK_SOURCE = Path(__file__).with_name("clock.c")


class Journal:
    """What happened, with the seconds since the beginning: printed, and kept in a file."""

    def __init__(self, file: Path) -> None:
        self.began = time.monotonic()
        self._file = file
        self._lock = threading.Lock()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def say(self, words: str) -> None:
        line = f"{datetime.now(SHANGHAI):%H:%M:%S} {self.seconds:7.0f} s  {words}"
        with self._lock, self._file.open("a") as out:
            print(line, flush=True)
            print(line, file=out)


def played_days(count: int, now: datetime) -> list[date]:
    """So many days, oldest first, the newest of which is whole by now with everything that comes late."""
    back = (each for each in range(NEWEST_DAYS_BACK, 1000) if each not in LOOK_BACK_DAYS)
    today = now.astimezone(SHANGHAI).date()
    return sorted(today - timedelta(days=next(back)) for _ in range(count))


def simulated(home: Path, days: Sequence[date], seed: int, hotline_url: str) -> Simulation:
    """The platforms; made from the same arguments, they say and know the same in every process."""
    return _Faulty(
        home=home / "platforms",
        days=days,
        seed=seed,
        scenario=SCENARIOS,
        hotline_url=hotline_url,
        counties=COUNTIES,
        townships_per_county=TOWNSHIPS,
    )


class _Faulty(Simulation):
    """Platforms that can be told to misbehave from now on, in both phases."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.faults: dict[str, RestFault | None] = {}

    def _fault(self, dataset: Dataset, platform: str) -> RestFault | None:
        return self.faults.get(platform) or super()._fault(dataset, platform)


class Platforms:
    """The platforms in a process that can be stopped, a context manager. connections: their file of AIRFLOW_CONN_*."""

    def __init__(self, home: Path, days: Sequence[date], seed: int, hotline_url: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, home, list(days), seed, hotline_url), daemon=True
        )
        self.connections = home / "platforms" / "connections.env"

    def __enter__(self) -> Self:
        self._process.start()
        self.rest: list[str] = self._pipe.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def tell(self, platform: str, fault: RestFault | None) -> None:
        """Let a REST platform misbehave from now on, or (None) no more."""
        self._pipe.send((platform, fault))
        self._pipe.recv()

    def advance(self) -> None:
        """Move on to the second phase."""
        self._pipe.send(None)
        self._pipe.recv()


def _serve(pipe: Connection, home: Path, days: list[date], seed: int, hotline_url: str) -> None:
    simulation = simulated(home, days, seed, hotline_url)
    assert isinstance(simulation, _Faulty)
    with simulation:
        simulation.write_connections()
        daily = simulation.catalog.platforms_of("daily").values()
        pipe.send([each.id for each in daily if each.family == "rest"])
        while True:
            told = pipe.recv()
            if told is None:
                simulation.advance()
            else:
                simulation.faults[told[0]] = told[1]
            pipe.send("done")


@dataclass
class Played:
    """Where everything is. clock: file that says how far the components' clocks are off. simulation: what knows the
    truth; it serves nothing."""

    home: Path
    server: ServerAddress
    stack: Stack
    platforms: Platforms
    simulation: Simulation
    journal: Journal
    seed: int

    @property
    def archive(self) -> Path:
        return self.home / "archive"

    @property
    def clock(self) -> Path:
        return self.home / "clock"

    def connect(self, database: str) -> psycopg.Connection[Any]:
        """A connection of our own; the server may be down."""
        return psycopg.connect(
            host=str(self.server.socket_dir),
            user="postgres",
            dbname=database,
            autocommit=True,
            connect_timeout=5,
            application_name="soak",
        )


def set_clock(file: Path, seconds: int) -> None:
    """Put the clocks that go by the file (bench/soak/clock.c) off by so much, at once."""
    with file.open("r+b") as out:
        out.write(seconds.to_bytes(8, sys.byteorder, signed=True))


@contextmanager
def played(days: Sequence[date], seed: int) -> Iterator[Played]:
    """Everything but Airflow's components, which a Keeper starts. The folder is removed unless something is raised."""
    if shutil.which("cc") is None:
        raise click.ClickException("There is no C compiler; on Debian: apt-get install gcc libc6-dev")
    if os.geteuid() != 0:
        raise click.ClickException(
            "The soak fills a disk of its own, which only root may mount. Run it as root."
        )
    for name in ("PLS_HOME", "PLS_WAREHOUSE", "PLS_ARCHIVE", "PLS_CATALOG"):
        os.environ.pop(name, None)
    home = Path(tempfile.mkdtemp(prefix="pls-soak-", dir="/var/tmp"))
    home.chmod(0o755)
    journal = Journal(home / "soak.log")
    journal.say(f"seed {seed}, {len(days)} days from {days[0]} to {days[-1]}, everything in {home}")
    (home / "archive").mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={ARCHIVE_MB}m,mode=0755", "pls-soak", str(home / "archive"))
    stack = Stack(home, free_port(), home / "connections.env", free_port())
    try:
        server = embedded_server(home)
        server.ensure_database("hotline")
        server.ensure_database(CLEAN)
        for database in (WAREHOUSE_DATABASE, CLEAN):
            server.ensure_database(database)
            engine = open_warehouse(Settings(home, server.url(database), "", None))
            migrate(engine)
            load_divisions(engine, DIVISIONS_FILE, None, days[0])
            engine.dispose()
        hotline = server.url("hotline")
        simulation = simulated(home, days, seed, hotline)
        with Platforms(home, days, seed, hotline) as platforms:
            played = Played(home, server, stack, platforms, simulation, journal, seed)
            clock = "".join(f"{name}='{value}'\n" for name, value in build_clock(home).items())
            (home / "connections.env").touch(mode=0o600)
            (home / "connections.env").write_text(platforms.connections.read_text() + clock)
            yield played
    finally:
        stack.stop()
        _run("umount", "--lazy", str(home / "archive"))
    shutil.rmtree(home)


def build_clock(home: Path) -> dict[str, str]:
    """What makes a process go by the clock of the file."""
    library, file = home / "clock.so", home / "clock"
    file.write_bytes(bytes(8))
    _run("cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(CLOCK_SOURCE))
    return {"LD_PRELOAD": str(library), "SOAK_CLOCK": str(file)}


def _run(*words: str) -> None:
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)


@dataclass
class Keeper:
    """Starts again what has died, as a restart policy does. died: how often, by component."""

    played: Played
    died: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self.played.stack.start()
        self._thread = threading.Thread(target=self._keep, name="keeper", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _keep(self) -> None:
        stack, known = self.played.stack, set(COMPONENTS)
        while not self._over.wait(2):
            running = set(stack.running())
            for name in known - running:
                self.died[name] += 1
                log = stack.logs / f"{name}.log"
                shutil.copy(log, self.played.home / f"died-{name}-{self.died[name]}.log")
            known = running
            if running == set(COMPONENTS):
                continue
            lacking = ", ".join(sorted(set(COMPONENTS) - running))
            started = time.monotonic()
            try:
                stack.start()
                self.played.journal.say(f"started again: {lacking} ({time.monotonic() - started:.0f} s)")
            except Exception as error:
                self.refused += 1
                words = str(error).strip().splitlines() or [""]
                self.played.journal.say(
                    f"could not start {lacking}: {type(error).__name__} {words[0]} … {words[-1]}"
                )
            known = set(stack.running())


def pull_clean(played: Played, days: Sequence[date], *, again: bool) -> None:
    """The same days by the command's own way into a warehouse of their own, in a process of its own, with nothing in
    the way. again: after the second phase has begun, by `restate` and then by day, and every period is shown."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as process:
        process.submit(_pull_clean, played.home, played.server.url(CLEAN), list(days), again).result()


def _pull_clean(home: Path, url: str, days: list[date], again: bool) -> None:
    os.environ |= environment(home) | {
        "PLS_HOME": str(home / "clean"),
        "PLS_WAREHOUSE": url,
    }
    site = open_site()
    platforms = list(site.catalog.platforms)
    if again:
        restate(site, platforms, None)
    for day in days:
        troubles = run_day(site, day, platforms)
        assert not troubles, troubles
    if again:
        for period in waiting_periods(site):
            show_period(site, period)
    site.engine.dispose()


def environment(home: Path) -> dict[str, str]:
    """What a command on the disturbed site is told beside, with a clock that is right."""
    words = shlex.split((home / "platforms" / "connections.env").read_text())
    told = dict(word.split("=", 1) for word in words)
    return told | {"PLS_HOME": str(home), "PLS_WAREHOUSE": "embedded", "PLS_ARCHIVE": ""}
