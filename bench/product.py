"""The product on the benchmark's day: the functions that a pull, a load and a roll-up run, with a stopwatch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import sqlalchemy as sa

# Great Expectations comes with the gate: it is imported before any stopwatch runs, as in the scheduler's preload.
from bench.day import DAY
from etl import pull
from etl.batches import register_batch
from etl.load import load_day
from etl.rollup import roll_up_day
from etl.site import Site, open_site
from etl.sources import Pulled, pulled_of
from etl.staging import stage

PLATFORM = "bench"
STAGES = ("read", "gate", "stage", "load", "roll-up")
RECEIVED_AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
PULLED_AT = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)


@dataclass
class Stopwatch:
    """Seconds by stage."""

    seconds: dict[str, float]

    @contextmanager
    def running(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started


def archive_files(files: dict[str, bytes]) -> None:
    """Keep the day's files in the archive and register them in the ledger: what a pull does before it reads."""
    site = _site()
    for name, body in files.items():
        pulled = pulled_of(DAY, name, (body,), RECEIVED_AT)
        register_batch(site.engine, site.archive, site.catalog.platforms[PLATFORM], pulled, PULLED_AT)
    site.engine.dispose()


def run_product() -> dict[str, float]:
    """Bring the archived day to the mart; returns seconds by stage."""
    site = _site()
    watch = Stopwatch(dict.fromkeys(STAGES, 0.0))
    run = pull.Pull(site.catalog.platforms[PLATFORM], "day", DAY, None, PULLED_AT)
    with mock.patch("etl.pull.stage", _timed(watch, "stage", stage)):
        started = time.perf_counter()
        pull.pass_gate(site, _clocked(watch, pull.read_batches(site, run, _archived(site))))
        watch.seconds["gate"] = time.perf_counter() - started - watch.seconds["read"] - watch.seconds["stage"]
    if run.troubles:
        raise RuntimeError(f"the benchmark's own files are refused: {run.troubles[0]}")
    with watch.running("load"):
        load_day(site.engine, DAY)
    with watch.running("roll-up"):
        roll_up_day(site.engine, site.catalog, DAY, whole=True)
    site.engine.dispose()
    return watch.seconds


def _site() -> Site:
    return replace(open_site(), clock=lambda: PULLED_AT)


def _archived(site: Site) -> Iterator[tuple[int, Pulled]]:
    """The day's batches, their bytes from the archive when they are asked for."""
    query = "SELECT batch_id, source_name, sha256, part_sizes FROM landing.batch ORDER BY source_name"
    with site.engine.connect() as conn:
        batches = conn.execute(sa.text(query)).all()
    for batch in batches:
        parts = site.archive.get(batch.sha256, batch.part_sizes)
        yield batch.batch_id, Pulled(DAY, batch.source_name, parts, RECEIVED_AT, batch.sha256, None)


def _clocked(watch: Stopwatch, items: Iterator[Any]) -> Iterator[Any]:
    while True:
        with watch.running("read"):
            item = next(items, None)
        if item is None:
            return
        yield item


def _timed(watch: Stopwatch, name: str, function: Any) -> Any:
    def timed(*args: Any) -> Any:
        with watch.running(name):
            return function(*args)

    return timed
