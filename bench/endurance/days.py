"""A daily run and a restated township's day, by the functions that the DAGs' tasks call, step by step."""

from __future__ import annotations

import functools
import gzip
import json
import time
from collections.abc import Callable
from datetime import date

import sqlalchemy as sa

from bench.day import DAY, pack_files, read_divisions, realistic_day
from bench.endurance.clock import Clock, Spent
from bench.endurance.make import evening
from bench.product import platform_id
from etl import pull
from etl.batches import register_batch
from etl.catalog import Level, load_catalog
from etl.conform import Read
from etl.load import load_day
from etl.periodic import show_period, waiting_periods
from etl.periods import Period
from etl.plausibility import flag_day
from etl.rollup import roll_up_day
from etl.site import Site
from etl.sources import SOURCES, Pulled, pulled_of

GATED, LOADED, ROLLED, JUDGED, ASKED = "read, gate, stage", "load", "roll-up", "flags", "which periods wait"
Steps = dict[str, Spent]
DAILY = "AND dataset = 'daily'"
OF_DAYS = {
    "core.submission": DAILY,
    "core.expected_day": DAILY,
    "mart.daily_sum": "",
    "mart.daily_reporting": "",
    "mart.daily_rollup": "",
    "quality.flag": "",
    "quality.quarantine": "",
    "quality.day_fit": "",
    "landing.batch": DAILY,
}
"""Tables that hold something of single days, and which of their rows are meant."""


def run_day(site: Site, clock: Clock, day: date, area: str) -> Steps:
    """A day of every unit of the area, from archived files to everything that is shown of it."""
    arrived: dict[str, list[tuple[int, Pulled]]] = {}
    for name, body in _files_of(area).items():
        platform = site.catalog.platforms[platform_id(name.split("_")[1])]
        pulled = pulled_of(
            day, _on(day, name), (gzip.compress(_on(day, body).encode("gb18030"), 1, mtime=0),), evening(day)
        )
        batch = register_batch(site.engine, site.archive, platform, pulled, evening(day))
        arrived.setdefault(platform.id, []).append((batch.batch_id, pulled))
    pulls = {
        each: pull.Pull(site.catalog.platforms[each], "daily", day, None, evening(day)) for each in arrived
    }
    reads = (each for name, run in pulls.items() for each in pull.read_batches(site, run, arrived[name]))
    steps = {GATED: clock.measure(lambda: pull.pass_gate(site, reads))}
    for run in pulls.values():
        if run.troubles:
            raise RuntimeError(f"the benchmark's own files are refused: {run.troubles[0]}")
    return steps | _after_the_gate(site, clock, day, whole=True)


def restate(site: Site, clock: Clock, day: date, area: str) -> Steps:
    """A later revision of the villages of one township, one figure each."""
    revision = int(time.time())
    divisions = read_divisions()
    is_here = (divisions["level"] == Level.TOWNSHIP) & divisions["code"].str.startswith(area)
    township = divisions.loc[is_here, "code"].iloc[0]
    units = divisions.loc[divisions["parent_code"] == township, "code"].tolist()
    platform = site.catalog.platforms[platform_id(township)]
    pulled = pulled_of(day, "submissions", (_page(units, day, revision),))
    batch = register_batch(site.engine, site.archive, platform, pulled, site.clock())

    def gate() -> None:
        reading = SOURCES["rest"].read(platform, site.catalog, pulled)
        pull.pass_gate(site, [(day, Read(batch.batch_id, platform, None, site.clock(), reading))])

    return {GATED: clock.measure(gate)} | _after_the_gate(site, clock, day, whole=False)


def _after_the_gate(site: Site, clock: Clock, day: date, *, whole: bool) -> Steps:
    waiting: list[Period] = []
    steps: dict[str, Callable[[], object]] = {
        LOADED: lambda: load_day(site.engine, day),
        ROLLED: lambda: roll_up_day(site.engine, site.catalog, day, whole=whole),
        JUDGED: lambda: flag_day(site.engine, site.catalog, day),
        ASKED: lambda: waiting.extend(waiting_periods(site)),
    }
    found = {name: clock.measure(step) for name, step in steps.items()}
    for period in waiting:
        if not period.starts_on <= day <= period.ends_on:
            raise RuntimeError(f"{period.name} waits, and {day} is not in it")
        found[period.name] = clock.measure(functools.partial(show_period, site, period))
    return found


def forget(site: Site, first: date) -> None:
    """Take out the daily figures from a day on, so that these days can be run again."""
    with site.engine.begin() as conn:
        conn.execute(sa.text("SET LOCAL session_replication_role = replica"))
        for table, more in OF_DAYS.items():
            conn.execute(sa.text(f"DELETE FROM {table} WHERE stat_date >= :first {more}"), {"first": first})
        conn.execute(sa.text("SELECT core.analyze_month(:first)"), {"first": first})


@functools.cache
def _files_of(area: str) -> dict[str, str]:
    """The realistic day's files of the area, by name, as text."""
    catalog = load_catalog(None)
    villages = int((read_divisions()["level"] == Level.VILLAGE).sum())
    packed = pack_files(realistic_day(catalog, villages), catalog)
    return {
        name: gzip.decompress(body).decode("gb18030")
        for name, body in packed.items()
        if name.split("_")[1].startswith(area)
    }


def _on(day: date, text: str) -> str:
    """Names and lines of the benchmark's day say another day."""
    return text.replace(f"{DAY:%Y-%m-%d}", f"{day:%Y-%m-%d}").replace(f"{DAY:%Y%m%d}", f"{day:%Y%m%d}")


def _page(units: list[str], day: date, revision: int) -> bytes:
    items = [
        {
            "unit": unit,
            "date": day.isoformat(),
            "revision": revision,
            "submitted_at": f"{day}T17:21:09+08:00",
            "values": [{"measure": "consultation", "channel": "physical", "value": 1 + revision % 9}],
        }
        for unit in units
    ]
    answer = {"code": 0, "msg": "ok", "data": {"total": len(items), "page": 1, "size": 500, "items": items}}
    return json.dumps(answer).encode()
