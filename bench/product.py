"""The product on the benchmark's day: the functions that a run's tasks call, with a stopwatch.

The day's platforms are spread over pull-and-gate tasks as in the DAG, and two tasks run at a time, as on two cores.
"""

from __future__ import annotations

import gc
import itertools
import json
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, time
from time import perf_counter
from typing import Any
from unittest import mock

import sqlalchemy as sa

# Great Expectations comes with the gate: it is imported before any stopwatch runs, as in the scheduler's preload.
from bench.day import DAY, platform_id
from bench.process import Measured, peak
from etl import daily, pull
from etl.batches import register_batch
from etl.conform import Read
from etl.load import load_day
from etl.rollup import roll_up_day
from etl.site import Site, open_site
from etl.sources import SOURCES, Pulled, pulled_of
from etl.staging import stage

TASKS_AT_ONCE = 2
TASKS = "pull-and-gate tasks, two at a time"
INSIDE = ("read", "gate", "stage")
RECEIVED, PULLED = time(10, tzinfo=UTC), time(10, 30, tzinfo=UTC)
"""When a day's files come and when they are pulled: 18:00 and 18:30 of the day in Shanghai."""


def archive_files(files: dict[str, bytes], on: date = DAY) -> None:
    """Keep the day's files in the archive and register them in the ledger: what a pull does before it reads."""
    site = _site(on)
    for name, body in files.items():
        platform = site.catalog.platforms[platform_id(name.split("_")[1])]
        pulled = pulled_of(on, name, (body,), datetime.combine(on, RECEIVED))
        register_batch(site.engine, site.archive, platform, pulled, site.clock())
    site.engine.dispose()


def run_product(on: date = DAY) -> Measured:
    """Bring the archived day to the mart; the peak adds up this process and those of the tasks."""
    # As by the LocalExecutor, tasks are forked from a process that has everything imported, frozen for the garbage
    # collector, and nothing open.
    gc.freeze()
    tasks = ProcessPoolExecutor(TASKS_AT_ONCE, multiprocessing.get_context("fork"))
    with tasks:
        started = perf_counter()
        site = _site(on)
        groups = daily.plan_groups(site.catalog)
        site.engine.dispose()
        done = list(tasks.map(_pull_and_gate, groups, itertools.repeat(on)))
        seconds = {TASKS: perf_counter() - started}
    inside = {stage: sum(each.inside[stage] for each in done) for stage in INSIDE}
    site = _site(on)
    for name, step in _last_steps(site, on, whole=True).items():
        started = perf_counter()
        step()
        seconds[name] = perf_counter() - started
    site.engine.dispose()
    peaks = sorted((each.peak for each in done), reverse=True)[:TASKS_AT_ONCE]
    return Measured(seconds, peak() + sum(peaks), inside)


def restate_units(page: bytes) -> Measured:
    """Bring one page of a county platform, revisions of units that are in, from the archive to the mart."""
    site = _site(DAY)
    pulled = pulled_of(DAY, "submissions", (page,))
    unit = json.loads(page)["data"]["items"][0]["unit"]
    platform = site.catalog.platforms[platform_id(unit)]
    batch = register_batch(site.engine, site.archive, platform, pulled, site.clock())
    started = perf_counter()
    reading = SOURCES["rest"].read(platform, site.catalog, pulled)
    pull.pass_gate(site, [(DAY, Read(batch.batch_id, platform, None, site.clock(), reading))])
    seconds = {"read, gate, stage": perf_counter() - started}
    for name, step in _last_steps(site, DAY, whole=False).items():
        started = perf_counter()
        step()
        seconds[name] = perf_counter() - started
    site.engine.dispose()
    return Measured(seconds, peak())


def _last_steps(site: Site, on: date, *, whole: bool) -> dict[str, Callable[[], None]]:
    return {
        "load": lambda: load_day(site.engine, on),
        "roll-up": lambda: roll_up_day(site.engine, site.catalog, on, whole=whole),
    }


def _pull_and_gate(platforms: Sequence[str], on: date) -> Measured:
    """One task: some platforms' archived batches through reading, gate and staging."""
    site = _site(on)
    inside = dict.fromkeys(INSIDE, 0.0)
    runs = [pull.Pull(site.catalog.platforms[each], "daily", on, None, site.clock()) for each in platforms]
    reads = (
        each for run in runs for each in pull.read_batches(site, run, _archived(site, run.platform.id, on))
    )
    started = perf_counter()
    with mock.patch("etl.pull.stage", _timed(inside, stage)):
        pull.pass_gate(site, _clocked(inside, reads))
    inside["gate"] = perf_counter() - started - inside["read"] - inside["stage"]
    for run in runs:
        if run.troubles:
            raise RuntimeError(f"the benchmark's own files are refused: {run.troubles[0]}")
    site.engine.dispose()
    return Measured({}, peak(), inside)


def _site(on: date) -> Site:
    return replace(open_site(), clock=lambda: datetime.combine(on, PULLED))


def _archived(site: Site, platform: str, on: date) -> Iterator[tuple[int, Pulled]]:
    """A platform's batches of the day, their bytes from the archive when they are asked for."""
    query = (
        "SELECT batch_id, source_name, sha256, part_sizes FROM landing.batch"
        " JOIN core.platform USING (platform_id) WHERE platform = :platform AND stat_date = :on ORDER BY source_name"
    )
    with site.engine.connect() as conn:
        batches = conn.execute(sa.text(query), {"platform": platform, "on": on}).all()
    for batch in batches:
        parts = site.archive.get(batch.sha256, batch.part_sizes)
        yield (
            batch.batch_id,
            Pulled(on, batch.source_name, parts, datetime.combine(on, RECEIVED), batch.sha256, None),
        )


def _clocked(inside: dict[str, float], items: Iterator[Any]) -> Iterator[Any]:
    while True:
        started = perf_counter()
        item = next(items, None)
        inside["read"] += perf_counter() - started
        if item is None:
            return
        yield item


def _timed(inside: dict[str, float], function: Any) -> Any:
    def timed(*args: Any) -> Any:
        started = perf_counter()
        try:
            return function(*args)
        finally:
            inside["stage"] += perf_counter() - started

    return timed
