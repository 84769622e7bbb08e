"""Verify: everything that can be computed anew, held against what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from etl.archive import ArchiveError
from etl.periods import Period
from etl.periods.totals import differing_totals
from etl.site import Site
from etl.warehouse import plan_for_bulk, run_sql


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it should be. part: archive, ledger or roll-up; where: object, batch or figure."""

    part: str
    where: str
    message: str


@dataclass
class Verified:
    """How much was looked at, so that a check on nothing does not pass for a check, and what was found.

    months: those of stocks.
    """

    objects: int
    days: int
    months: int
    periods: int
    differences: list[Difference]


def verify(site: Site, day: date | None = None) -> Verified:
    """Recompute the digests of the archive, the ledger from the facts, and every roll-up from the submissions; of one
    day (a month's last has the month's stocks), or of all."""
    differences: list[Difference] = []
    with site.engine.connect() as conn:
        objects = run_sql(conn, "verify/objects", {"day": day}).all()
        days = list(run_sql(conn, "verify/days", {"day": day}).scalars())
        months = list(run_sql(conn, "verify/months", {"day": day}).scalars())
        periods = list(run_sql(conn, "verify/periods", {"day": day}).scalars())
    for each in objects:
        try:
            site.archive.get(each.sha256, each.part_sizes)
        except ArchiveError as error:
            differences.append(Difference("archive", f"batch {each.batch_id} {each.source_name}", str(error)))
    differences += _ledger(site, day)
    for one in days:
        differences += _roll_up(site, one, "verify/rollup")
    for one in months:
        differences += _roll_up(site, one, "verify/stocks")
    for name in periods:
        differences += [
            Difference(
                "period",
                f"{name} {row.division_code} {row.measure} {row.channel}",
                f"shown {row.shown}, summed anew {row.anew}",
            )
            for row in differing_totals(site.engine, Period.parse(name))
        ]
    return Verified(len(objects), len(days), len(months), len(periods), differences)


def _ledger(site: Site, day: date | None) -> Iterator[Difference]:
    with site.engine.connect() as conn:
        for row in run_sql(conn, "verify/ledger", {"day": day}):
            where = f"batch {row.batch_id} {row.platform} {row.stat_date} {row.source_name}"
            if row.state in ("registered", "gated"):
                yield Difference("ledger", where, f"is {row.state} and was never finished: run the day again")
                continue
            yield Difference(
                "ledger",
                where,
                f"says {row.rows_received} received = {row.rows_loaded} loaded + {row.rows_quarantined} quarantined +"
                f" {row.rows_duplicate} duplicate + {row.rows_superseded} superseded; found are {row.figures_found}"
                f" loaded, {row.held_found} quarantined",
            )


def _roll_up(site: Site, day: date, statement: str) -> Iterator[Difference]:
    with site.engine.begin() as conn:
        plan_for_bulk(conn)
        for row in run_sql(conn, statement, {"day": day}):
            where = f"{day} {row.division_code} {row.measure} {row.channel}"
            shown, anew = row.shown or {}, row.anew or {}
            names = sorted(name for name in {*shown, *anew} if shown.get(name) != anew.get(name))
            words = ", ".join(
                f"{name}: shown {shown.get(name)}, summed anew {anew.get(name)}" for name in names
            )
            yield Difference("roll-up", where, words)
