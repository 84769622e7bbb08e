"""The product on the benchmark's day: the functions that a run's tasks call, with a stopwatch.

The day's platforms are spread over pull-and-gate tasks as in the DAG, and two tasks run at a time, as on two cores.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import sqlalchemy as sa

# Great Expectations comes with the gate: it is imported before any stopwatch runs, as in the scheduler's preload.
from bench.day import DAY
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
RECEIVED_AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
PULLED_AT = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)


def platform_id(county: str) -> str:
    """The platform that keeps the files of a county (its code or the first six digits): one for each city."""
    return f"city-{county[:4]}"


def archive_files(files: dict[str, bytes]) -> None:
    """Keep the day's files in the archive and register them in the ledger: what a pull does before it reads."""
    site = _site()
    for name, body in files.items():
        platform = site.catalog.platforms[platform_id(name.split("_")[1])]
        pulled = pulled_of(DAY, name, (body,), RECEIVED_AT)
        register_batch(site.engine, site.archive, platform, pulled, PULLED_AT)
    site.engine.dispose()


def run_product() -> Measured:
    """Bring the archived day to the mart; the peak adds up this process and those of the tasks."""
    # As by the LocalExecutor, tasks are forked from a process that has everything imported, frozen for the garbage
    # collector, and nothing open.
    gc.freeze()
    tasks = ProcessPoolExecutor(TASKS_AT_ONCE, multiprocessing.get_context("fork"))
    with tasks:
        started = time.perf_counter()
        site = _site()
        groups = daily.plan_groups(site.catalog)
        site.engine.dispose()
        done = list(tasks.map(_pull_and_gate, groups))
        seconds = {TASKS: time.perf_counter() - started}
    inside = {stage: sum(each.inside[stage] for each in done) for stage in INSIDE}
    site = _site()
    for name, step in _last_steps(site, whole=True).items():
        started = time.perf_counter()
        step()
        seconds[name] = time.perf_counter() - started
    site.engine.dispose()
    peaks = sorted((each.peak for each in done), reverse=True)[:TASKS_AT_ONCE]
    return Measured(seconds, peak() + sum(peaks), inside)


def restate_units(page: bytes) -> Measured:
    """Bring one page of a county platform, revisions of units that are in, from the archive to the mart."""
    site = _site()
    pulled = pulled_of(DAY, "submissions", (page,))
    unit = json.loads(page)["data"]["items"][0]["unit"]
    platform = site.catalog.platforms[platform_id(unit)]
    batch = register_batch(site.engine, site.archive, platform, pulled, PULLED_AT)
    started = time.perf_counter()
    reading = SOURCES["rest"].read(platform, site.catalog, pulled)
    pull.pass_gate(site, [(DAY, Read(batch.batch_id, platform, None, PULLED_AT, reading))])
    seconds = {"read, gate, stage": time.perf_counter() - started}
    for name, step in _last_steps(site, whole=False).items():
        started = time.perf_counter()
        step()
        seconds[name] = time.perf_counter() - started
    site.engine.dispose()
    return Measured(seconds, peak())


def _last_steps(site: Site, *, whole: bool) -> dict[str, Callable[[], None]]:
    return {
        "load": lambda: load_day(site.engine, DAY),
        "roll-up": lambda: roll_up_day(site.engine, site.catalog, DAY, whole=whole),
    }


def _pull_and_gate(platforms: Sequence[str]) -> Measured:
    """One task: some platforms' archived batches through reading, gate and staging."""
    site = _site()
    inside = dict.fromkeys(INSIDE, 0.0)
    runs = [pull.Pull(site.catalog.platforms[each], "daily", DAY, None, PULLED_AT) for each in platforms]
    reads = (each for run in runs for each in pull.read_batches(site, run, _archived(site, run.platform.id)))
    started = time.perf_counter()
    with mock.patch("etl.pull.stage", _timed(inside, stage)):
        pull.pass_gate(site, _clocked(inside, reads))
    inside["gate"] = time.perf_counter() - started - inside["read"] - inside["stage"]
    for run in runs:
        if run.troubles:
            raise RuntimeError(f"the benchmark's own files are refused: {run.troubles[0]}")
    site.engine.dispose()
    return Measured({}, peak(), inside)


def _site() -> Site:
    return replace(open_site(), clock=lambda: PULLED_AT)


def _archived(site: Site, platform: str) -> Iterator[tuple[int, Pulled]]:
    """A platform's batches of the day, their bytes from the archive when they are asked for."""
    query = (
        "SELECT batch_id, source_name, sha256, part_sizes FROM landing.batch"
        " JOIN core.platform USING (platform_id) WHERE platform = :platform ORDER BY source_name"
    )
    with site.engine.connect() as conn:
        batches = conn.execute(sa.text(query), {"platform": platform}).all()
    for batch in batches:
        parts = site.archive.get(batch.sha256, batch.part_sizes)
        yield batch.batch_id, Pulled(DAY, batch.source_name, parts, RECEIVED_AT, batch.sha256, None)


def _clocked(inside: dict[str, float], items: Iterator[Any]) -> Iterator[Any]:
    while True:
        started = time.perf_counter()
        item = next(items, None)
        inside["read"] += time.perf_counter() - started
        if item is None:
            return
        yield item


def _timed(inside: dict[str, float], function: Any) -> Any:
    def timed(*args: Any) -> Any:
        started = time.perf_counter()
        try:
            return function(*args)
        finally:
            inside["stage"] += time.perf_counter() - started

    return timed
