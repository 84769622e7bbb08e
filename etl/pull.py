"""Pull: ask platforms for a day, or for what changed, and bring every batch through archive, reading and gate."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from etl.batches import known_files, register_batch, set_aside
from etl.catalog import Dataset, Platform
from etl.conform import Read
from etl.connections import Connection, ConnectionMissing
from etl.divisions import DayDivisions
from etl.gate import gate
from etl.site import Site
from etl.sources import REST, SOURCES, Failure, Listing, Pulled, Unreadable, pulled_of
from etl.staging import stage
from etl.warehouse import run_sql

log = logging.getLogger(__name__)

PLATFORMS_AT_ONCE = 4
ROWS_AT_ONCE = 1_000_000
"""Rows that go through the gate together: they bound the memory of a run."""
FIRST_LOOK_BACK = timedelta(days=7)
"""How far `restate` looks back at a platform that was never pulled with success."""
OVERLAP = timedelta(minutes=10)
"""Clocks differ: what changed is asked for from a little before the last pull."""


KINDS = {"daily": "day", "stocks": "month"}
"""What a pull of one slice of a data set is called in landing.pull."""


@dataclass(frozen=True)
class Trouble:
    """A batch that is not in: its platform, day, file, state (failed or rejected) and the reason in plain words."""

    platform: str
    stat_date: date
    name: str
    state: str
    message: str


@dataclass
class Pull:
    """One question to one platform, for a day, a month's stocks (stat_date is the month's last day) or what it received
    since a time: what it brought, and what came of it."""

    platform: Platform
    dataset: Dataset
    stat_date: date | None
    since: datetime | None
    started_at: datetime
    listing: Listing = field(default_factory=lambda: Listing([]))
    troubles: list[Trouble] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return KINDS[self.dataset] if self.stat_date else "since"

    @property
    def outcome(self) -> str:
        states = {trouble.state for trouble in self.troubles}
        return "failed" if "failed" in states else "rejected" if states else "done"


def pull_day(
    site: Site, platforms: Sequence[str], day: date, run_key: str, dataset: Dataset = "daily"
) -> list[Trouble]:
    """Pull a day from some platforms and bring it through the gate; returns what is not in. Of stocks, the month that
    ends on the day. Platforms that do not deliver the data set are left out.

    A platform that fails does not stop the others. Called again with the same `run_key`, it asks only the platforms
    that are not done yet (ruling 14).
    """
    return _pull(site, platforms, run_key, dataset, day, None)


def pull_changes(site: Site, platforms: Sequence[str], since: datetime | None, run_key: str) -> list[Trouble]:
    """Pull what some platforms received since a time, and days they did not answer for; returns what is not in.

    Without `since`, each platform is asked from its last successful pull on.
    """
    return _pull(site, platforms, run_key, "daily", None, since)


def _pull(
    site: Site,
    platforms: Sequence[str],
    run_key: str,
    dataset: Dataset,
    day: date | None,
    since: datetime | None,
) -> list[Trouble]:
    slice_ = {"run_key": run_key, "kind": KINDS[dataset] if day else "since", "stat_date": day}
    with site.engine.connect() as conn:
        finished = {row.platform: row for row in run_sql(conn, "pull/finished", slice_)}
    delivering = site.catalog.platforms_of(dataset)
    asked = [delivering[each] for each in platforms if each in delivering and each not in finished]
    pulls = [
        _start(site, platform, run_key, dataset, asked_day, since)
        for platform in asked
        for asked_day in ([day] if day else [*_failed_days(site, platform), None])
    ]
    with ThreadPoolExecutor(PLATFORMS_AT_ONCE) as workers:
        arrivals = zip(pulls, workers.map(lambda each: _fetch(site, each), pulls), strict=True)
        pass_gate(site, (each for pull, arrived in arrivals for each in read_batches(site, pull, arrived)))
    for pull in pulls:
        _finish(site, pull, run_key)
    refused = [
        Trouble(each.platform, day or site.today(), "", "rejected", each.message)
        for each in finished.values()
        if each.platform in platforms and each.outcome == "rejected"
    ]
    return refused + [trouble for pull in pulls for trouble in pull.troubles]


def unfinished(site: Site, run_key: str) -> list[str]:
    """Platforms that a run did not bring in whole, each with what came of it."""
    with site.engine.connect() as conn:
        rows = run_sql(conn, "pull/unfinished", {"run_key": run_key})
        return [f"{row.platform} {row.outcome}: {row.message}" for row in rows]


def _failed_days(site: Site, platform: Platform) -> list[date]:
    with site.engine.connect() as conn:
        return list(run_sql(conn, "pull/failed_days", {"platform": platform.id}).scalars())


def _start(
    site: Site,
    platform: Platform,
    run_key: str,
    dataset: Dataset,
    day: date | None,
    since: datetime | None,
) -> Pull:
    started_at = site.clock()
    with site.engine.begin() as conn:
        if day is None and since is None:
            last = run_sql(conn, "pull/last_success", {"platform": platform.id}).scalar_one()
            since = (last or started_at - FIRST_LOOK_BACK) - OVERLAP
        pull = Pull(platform, dataset, day, None if day else since, started_at)
        run_sql(
            conn,
            "pull/start",
            {
                "run_key": run_key,
                "platform": platform.id,
                "kind": pull.kind,
                "stat_date": day,
                "since": pull.since,
                "started_at": started_at,
            },
        )
    return pull


def _fetch(site: Site, pull: Pull) -> list[tuple[int, Pulled]]:
    """Bring what the platform has, keep and register it; returns the batches that are to be read."""
    arrived = []
    try:
        pull.listing = _ask(site, pull, site.connect(pull.platform.conn_id))
        for pulled in pull.listing.pulled:
            batch_id = _take(site, pull, pulled)
            if batch_id is not None:
                arrived.append((batch_id, pulled))
    except ConnectionMissing as error:
        failure = Failure("rejected", str(error))
        day = pull.stat_date or site.today()
        _take(site, pull, pulled_of(day, "", (), failure=failure, dataset=pull.dataset))
    return arrived


def _ask(site: Site, pull: Pull, connection: Connection) -> Listing:
    if pull.dataset == "stocks":
        assert pull.stat_date is not None
        return REST.pull_month(pull.platform, connection, pull.stat_date)
    source = SOURCES[pull.platform.family]
    known = known_files(site.engine, pull.platform)
    if pull.stat_date is not None:
        return source.pull_day(pull.platform, connection, pull.stat_date, known)
    assert pull.since is not None
    return source.pull_since(pull.platform, connection, pull.since, known)


def _take(site: Site, pull: Pull, pulled: Pulled) -> int | None:
    """Keep and register one batch; its number when it is to be read."""
    batch = register_batch(site.engine, site.archive, pull.platform, pulled, site.clock())
    if pulled.failure is not None:
        _say(pull, pulled, pulled.failure.state, pulled.failure.message)
        return None
    return batch.batch_id if batch.state == "registered" else None


def read_batches(
    site: Site, pull: Pull, arrived: Iterable[tuple[int, Pulled]]
) -> Iterator[tuple[date, Read]]:
    """Read registered batches of one platform, each when it is asked for; one that cannot be read is rejected."""
    for batch_id, pulled in arrived:
        try:
            reading = SOURCES[pull.platform.family].read(pull.platform, site.catalog, pulled)
        except Unreadable as error:
            _set_aside(site, pull, pulled, batch_id, Failure("rejected", str(error)))
            continue
        except Exception as error:
            # A fault of ours in one batch stops no other: it is named and asked for again. The log has where, not what:
            # the words of an exception may hold what stood in the file.
            log.error(
                "%s %s\n%s", pull.platform.id, pulled.name, "".join(traceback.format_tb(error.__traceback__))
            )
            words = f"读取 {pulled.name} 时程序出错（{type(error).__name__}），位置见日志"
            _set_aside(site, pull, pulled, batch_id, Failure("failed", words))
            continue
        read = Read(
            batch_id,
            pull.platform,
            pulled.received_at,
            pull.started_at,
            reading,
            dataset=pulled.dataset,
        )
        yield pulled.stat_date, read


def _set_aside(site: Site, pull: Pull, pulled: Pulled, batch_id: int, failure: Failure) -> None:
    set_aside(site.engine, batch_id, failure.state, failure.message)
    _say(pull, pulled, failure.state, failure.message)


def pass_gate(site: Site, reads: Iterable[tuple[date, Read]]) -> None:
    """Bring what was read through the gate and stage it, many batches of a day together, yet never all at once."""
    waiting: list[tuple[date, Read]] = []
    rows = 0
    for each in reads:
        waiting.append(each)
        rows += len(each[1].reading.figures)
        if rows >= ROWS_AT_ONCE:
            _gate(site, waiting)
            waiting, rows = [], 0
    _gate(site, waiting)


def _gate(site: Site, reads: Sequence[tuple[date, Read]]) -> None:
    slices = {(day, read.dataset) for day, read in reads}
    for day, dataset in sorted(slices):
        batches = [read for read_day, read in reads if (read_day, read.dataset) == (day, dataset)]
        units = {unit for read in batches for unit in read.reading.senders.unit.uniques}
        with site.engine.connect() as conn:
            divisions = DayDivisions(conn, day, units)
        gated = gate(batches, site.catalog, site.cells, divisions, day, site.today(), dataset)
        _keep_documents(site, day, batches, gated.documents)
        stage(site.engine, gated)


def _keep_documents(
    site: Site, day: date, batches: Sequence[Read], documents: dict[str, dict[str, object]]
) -> None:
    """Great Expectations' results, for the day's Data Docs; the same batches write the same files again."""
    numbers = [read.batch_id for read in batches]
    for suite, document in documents.items():
        name = f"validations/{day}/{suite}-{min(numbers):09d}-{max(numbers):09d}.json"
        site.archive.write_document(name, json.dumps(document, ensure_ascii=False).encode())


def _finish(site: Site, pull: Pull, run_key: str) -> None:
    with site.engine.begin() as conn:
        run_sql(
            conn,
            "pull/finish",
            {
                "run_key": run_key,
                "platform": pull.platform.id,
                "kind": pull.kind,
                "stat_date": pull.stat_date,
                "finished_at": site.clock(),
                "outcome": pull.outcome,
                "message": "；".join(trouble.message for trouble in pull.troubles),
                "ignored": [*pull.listing.ignored, *pull.listing.waiting],
            },
        )
        if pull.kind == "since" and pull.outcome == "done":
            run_sql(conn, "pull/forget_failed", {"platform": pull.platform.id})


def _say(pull: Pull, pulled: Pulled, state: str, message: str) -> None:
    log.warning("%s %s %s %s: %s", pull.platform.id, pulled.stat_date, pulled.name, state, message)
    pull.troubles.append(Trouble(pull.platform.id, pulled.stat_date, pulled.name, state, message))
