"""Periods: a month that is closed (封账) takes no change until somebody reopens it (ruling 11).

What comes for a closed month is archived, passes the gate and waits: its rows in the quarantine as `period_locked`, the
batch under a flag of that name. Reopening reads those batches from the archive once more and loads them.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy.engine import Row

from etl.batches import register_batch
from etl.catalog import Dataset
from etl.conform import Read
from etl.daily import load_and_roll_up
from etl.desk import read_released_batch
from etl.failures import Refused
from etl.load import is_closed, take_day
from etl.pull import pass_gate
from etl.rollup import waiting_days
from etl.site import Site
from etl.sources import SOURCES, Pulled
from etl.warehouse import run_sql

UNFINISHED: dict[Dataset, str] = {
    "daily": "run-day --date {day}",
    "stocks": "stocks --month {day:%Y-%m}",
}
"""The command that loads and rolls up what waits of a data set."""


class PeriodError(Refused):
    """A month that cannot be closed or reopened as it stands; the message says why and what to do."""


@dataclass(frozen=True)
class Reopened:
    """What a reopened month brought in: batches that had waited, and the days that were rolled up again (its last day,
    if stocks were among them)."""

    batches: int
    days: list[date]


def close_month(site: Site, month: date, by: str, reason: str) -> None:
    """Let nothing more into a month (its first day). Waits for loads under way. Raises PeriodError."""
    today = site.today()
    if month > today:
        raise PeriodError(f"{month:%Y-%m} lies in the future; it cannot be closed.")
    for dataset, command in UNFINISHED.items():
        unfinished = [day for day in waiting_days(site.engine, dataset) if day.replace(day=1) == month]
        if unfinished:
            raise PeriodError(
                f"{', '.join(map(str, unfinished))} wait to be loaded and rolled up."
                f" Run first: python -m etl {command.format(day=unfinished[0])}"
            )
    with site.engine.begin() as conn:
        for number in range(monthrange(month.year, month.month)[1]):
            take_day(conn, month.replace(day=number + 1))
        if is_closed(conn, month):
            raise PeriodError(f"{month:%Y-%m} is closed already. See: python -m etl period list")
        event = {"month": month, "action": "closed", "decided_by": by, "reason": reason}
        run_sql(conn, "period/add_event", event)


def reopen_month(site: Site, month: date, by: str, reason: str) -> Reopened:
    """Open a closed month and load what has waited for it. Raises PeriodError.

    Interrupted and called again, it goes on with what still waits.
    """
    with site.engine.begin() as conn:
        take_day(conn, month)
        batches = run_sql(conn, "period/waiting_batches", {"month": month}).all()
        for batch in batches:
            if batch.platform not in site.catalog.platforms:
                raise PeriodError(
                    f"Batch {batch.batch_id} is of platform {batch.platform}, which is not declared any more. Declare"
                    " it, then reopen the month again."
                )
        if is_closed(conn, month):
            event = {"month": month, "action": "reopened", "decided_by": by, "reason": reason}
            run_sql(conn, "period/add_event", event)
        elif not batches:
            raise PeriodError(
                f"{month:%Y-%m} is open, and nothing waits for it. See: python -m etl period list"
            )
    came_in = [(batch, _bring_in(site, batch)) for batch in batches]
    # All of a day at once: which of two platforms was first is decided among what is loaded together.
    for day, dataset in sorted({(batch.stat_date, batch.dataset) for batch in batches}):
        load_and_roll_up(site, day, whole=False, dataset=dataset)
        for batch, batch_id in came_in:
            if (batch.stat_date, batch.dataset) == (day, dataset):
                words = {"waited": batch.batch_id, "decided_by": by, "reason": reason, "batch_id": batch_id}
                with site.engine.begin() as conn:
                    run_sql(conn, "period/settle", words)
    return Reopened(len(batches), sorted({batch.stat_date for batch in batches}))


def _bring_in(site: Site, batch: Row[Any]) -> int:
    """Read a batch that has waited once more and pass it through the gate as a batch of its own; returns that one."""
    platform = site.catalog.platforms[batch.platform]
    parts = site.archive.get(batch.sha256, batch.part_sizes)
    pulled = Pulled(
        batch.stat_date, batch.source_name, parts, batch.received_at, batch.sha256, None, batch.dataset
    )
    again = replace(pulled, name=f"{batch.source_name}#{batch.batch_id}")
    is_release = batch.kind in ("release", "moved")
    kind = batch.kind if is_release else "reopened"
    registered = register_batch(site.engine, site.archive, platform, again, batch.pulled_at, kind=kind)
    if registered.state == "registered":
        if is_release:
            reading, waived = read_released_batch(parts, site.catalog)
        else:
            reading, waived = SOURCES[platform.family].read(platform, site.catalog, pulled), {}
        read = Read(
            registered.batch_id,
            platform,
            batch.received_at,
            batch.pulled_at,
            reading,
            waived,
            batch.dataset,
        )
        pass_gate(site, [(batch.stat_date, read)])
    return registered.batch_id


def list_months(site: Site) -> list[dict[str, Any]]:
    """Closed months and months for which something waits: who closed them, when and why, and what waits."""
    with site.engine.connect() as conn:
        return [dict(row._mapping) for row in run_sql(conn, "period/list")]
