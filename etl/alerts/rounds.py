"""Rounds: at each rung of the ladder, who is told of what has not come is written into the outbox, once.

A unit is only said not to have reported when all platforms it reports to have been asked since the moment of the rung
and have answered. Units of a platform that cannot be reached are left in peace; its operator is told instead.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from etl.alerts import text
from etl.alerts.arrivals import write_all_clears
from etl.alerts.hours import closes_at, round_at
from etl.alerts.ladder import Contacts, Digest, Found, Missing, Place, Told, digests, operators
from etl.alerts.tree import read_tree
from etl.alerts.write import outbox_row
from etl.catalog import Catalog
from etl.catalog.alert import Round
from etl.catalog.models import CalendarUnknown
from etl.clock import SHANGHAI
from etl.warehouse import plan_for_bulk, run_sql, statement

LOCK = 7_300_019
LOOK_BACK = timedelta(days=45)
"""The longest way from a cut-off to the last rung: three working days over the longest holiday, and some."""


class Rung(NamedTuple):
    """A round of one data set and day at one moment, for the units whose times are these."""

    round: Round
    dataset: str
    stat_date: date
    falls_at: datetime
    times: frozenset[tuple[datetime, datetime]]

    @property
    def key(self) -> dict[str, Any]:
        return {
            "dataset": self.dataset,
            "stat_date": self.stat_date,
            "round": self.round.code,
            "round_at": self.falls_at,
        }


class PlatformState(NamedTuple):
    """When a platform was last asked for a day, and whether it could not be reached."""

    platform_id: int
    platform: str
    asked_at: datetime | None
    is_out: bool


@dataclass
class Ran:
    """What a run of the watch did: rungs looked at, digests and all-clears written, units still waiting for a pull."""

    rungs: int = 0
    digests: int = 0
    all_clears: int = 0
    units_missing: int = 0
    units_waiting: int = 0


def run_rounds(engine: Engine, catalog: Catalog, moment: datetime) -> Ran:
    """Write what is to be told at a moment: the rungs that are open, then the all-clears. One transaction.

    Run again at any time, also by two schedulers at once, it writes nothing twice. Raises CalendarUnknown in a year
    whose working days nobody declared.
    """
    ran = Ran()
    with engine.begin() as conn:
        conn.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        plan_for_bulk(conn)
        run_sql(conn, "alerts/keep_setting", {"profile_days": catalog.delivery().profile_days})
        by_day: dict[tuple[date, str], list[Rung]] = defaultdict(list)
        for rung in _open_rungs(conn, catalog, moment):
            by_day[rung.stat_date, rung.dataset].append(rung)
        for rungs in by_day.values():
            _run_day(conn, catalog, rungs, moment, ran)
        ran.all_clears = write_all_clears(conn, catalog, moment)
    return ran


def open_rungs(
    rounds: Sequence[Round],
    groups: Iterable[tuple[str, date, datetime, datetime]],
    catalog: Catalog,
    moment: datetime,
) -> list[Rung]:
    """The rungs that may be run at a moment, given (data set, day, due, cut-off) of the groups of units."""
    calendar = catalog.calendars[catalog.delivery().calendar]
    found: dict[tuple[str, date, int, datetime], set[tuple[datetime, datetime]]] = defaultdict(set)
    for dataset, day, due_at, cutoff_at in groups:
        for number, each in enumerate(rounds):
            try:
                falls_at = round_at(each, due_at, cutoff_at, calendar)
            except CalendarUnknown:
                # It falls into a year to come whose days off are not announced: ahead, unless today is in it.
                calendar.is_workday(moment.astimezone(SHANGHAI).date())
                continue
            if falls_at <= moment < closes_at(each, falls_at, cutoff_at):
                found[dataset, day, number, falls_at].add((due_at, cutoff_at))
    return [
        Rung(rounds[number], dataset, day, falls_at, frozenset(times))
        for (dataset, day, number, falls_at), times in sorted(found.items())
    ]


def _open_rungs(conn: Connection, catalog: Catalog, moment: datetime) -> list[Rung]:
    since = moment - LOOK_BACK
    groups = run_sql(conn, "alerts/groups", {"moment": moment, "since": since})
    rungs = open_rungs(
        catalog.rounds(),
        [(row.dataset, row.stat_date, row.due_at, row.cutoff_at) for row in groups],
        catalog,
        moment,
    )
    done = {tuple(row) for row in run_sql(conn, "alerts/rounds_done", {"since": since})}
    return [rung for rung in rungs if tuple(rung.key.values()) not in done]


def _run_day(conn: Connection, catalog: Catalog, rungs: Sequence[Rung], moment: datetime, ran: Ran) -> None:
    day, dataset = rungs[0].stat_date, rungs[0].dataset
    slice_ = {"day": day, "dataset": dataset, "moment": moment}
    cutoffs = sorted({cutoff_at for rung in rungs for _, cutoff_at in rung.times})
    rows = run_sql(conn, "alerts/missing", slice_ | {"cutoffs": cutoffs}).all()
    missing = [
        Missing(row.due_at, row.cutoff_at, tuple(row.platform_ids), tuple(row.unit_ids)) for row in rows
    ]
    rejected = {unit_id for row in rows for unit_id in row.rejected_ids}
    states = {
        row.platform_id: PlatformState(row.platform_id, row.platform, row.asked_at, row.is_out)
        for row in run_sql(conn, "alerts/platforms", slice_)
    }
    tree = read_tree(conn, day, (unit_id for group in missing for unit_id in group.unit_ids))
    contacts = Contacts(catalog.recipients, tree, catalog.delivery())
    told, outages = _told(conn, "alerts/told", slice_), _told(conn, "alerts/told_outages", {})
    still_waiting: set[int] = set()
    for rung in rungs:
        theirs = [each for each in missing if (each.due_at, each.cutoff_at) in rung.times]
        certain, out, waiting = sort_out(theirs, states, rung.falls_at)
        written = digests(rung.round, _units(certain), tree, contacts, catalog.delivery(), told)
        for digest in written:
            told.told[digest.recipient, rung.round.reason].update(digest.subject_ids)
        outbox = [_unit_row(catalog, rung, digest, rejected, tree, moment) for digest in written]
        outbox += _outage_rows(catalog, rung, out, states, tree, contacts, outages, moment)
        if outbox:
            conn.execute(statement("alerts/write"), outbox)
        run_sql(
            conn,
            "alerts/mark_round",
            rung.key
            | {
                "last_run_at": moment,
                "is_done": not out and not waiting,
                "units_missing": len(_units(theirs)),
                "units_out": len(_units(out)),
                "units_waiting": len(_units(waiting)),
            },
        )
        ran.rungs += 1
        ran.digests += len(outbox)
        still_waiting.update(_units(waiting))
    ran.units_missing += sum(len(group.unit_ids) for group in missing)
    ran.units_waiting += len(still_waiting)


def _units(groups: Iterable[Missing]) -> list[int]:
    return [unit_id for group in groups for unit_id in group.unit_ids]


def sort_out(
    missing: Iterable[Missing], states: Mapping[int, PlatformState], falls_at: datetime
) -> tuple[list[Missing], list[Missing], list[Missing]]:
    """Units that have certainly not reported; those of a platform that is out; those of one not asked yet."""
    certain: list[Missing] = []
    out: list[Missing] = []
    waiting: list[Missing] = []
    for group in missing:
        theirs = [states[each] for each in group.platform_ids if each in states]
        if any(each.asked_at is None or each.asked_at < falls_at for each in theirs):
            waiting.append(group)
        elif any(each.is_out for each in theirs):
            out.append(group)
        else:
            certain.append(group)
    return certain, out, waiting


def _told(conn: Connection, name: str, slice_: Mapping[str, Any]) -> Told:
    told = Told()
    for row in run_sql(conn, name, slice_):
        told.told[row.recipient, row.reason].update(row.subject_ids)
        if row.is_noted:
            told.noted[row.recipient].update(row.subject_ids)
    return told


def _unit_row(
    catalog: Catalog,
    rung: Rung,
    digest: Digest,
    rejected: Collection[int],
    tree: Mapping[int, Place],
    moment: datetime,
) -> dict[str, Any]:
    lines, levels = text.unit_lines(digest.subject_ids, tree, rejected, catalog.delivery().list_at_most)
    return outbox_row(
        catalog, rung.key, rung.round.reason, rung.round.tell, digest, _facts(rung, moment), lines, levels
    )


def _outage_rows(
    catalog: Catalog,
    rung: Rung,
    out: Sequence[Missing],
    states: Mapping[int, PlatformState],
    tree: Mapping[int, Place],
    contacts: Contacts,
    outages: Told,
    moment: datetime,
) -> list[dict[str, Any]]:
    """One digest for each operator, of the platforms that are out and that it has not been told of."""
    affected: dict[int, int] = defaultdict(int)
    for group in out:
        for number in group.platform_ids:
            if number in states and states[number].is_out:
                affected[number] += len(group.unit_ids)
    ids = {place.code: number for number, place in tree.items()}
    subjects: dict[str | None, list[int]] = defaultdict(list)
    gaps: dict[str | None, dict[int, None]] = defaultdict(dict)
    for number in sorted(affected, key=lambda each: states[each].platform):
        platform = catalog.platforms[states[number].platform]
        area = [ids[code] for code in platform.area if code in ids]
        found: Found = operators(platform.contact, area, catalog.recipients, contacts, catalog.delivery())
        for recipient in found.recipients or (None,):
            if outages.is_news(recipient, "outage", number):
                outages.told[recipient, "outage"].add(number)
                subjects[recipient].append(number)
                gaps[recipient].update(dict.fromkeys(found.gaps))
    rows = []
    for recipient, numbers in subjects.items():
        lines = text.platform_lines(
            [
                text.platform_line(catalog.platforms[states[each].platform], affected[each])
                for each in numbers
            ],
            catalog.delivery().list_at_most,
        )
        digest = Digest(recipient, tuple(numbers), tuple(gaps[recipient]))
        rows.append(
            outbox_row(catalog, rung.key, "outage", "operator", digest, _facts(rung, moment), lines, "")
        )
    return rows


def _facts(rung: Rung, moment: datetime) -> text.Facts:
    due_at, cutoff_at = max(rung.times)
    return text.Facts(rung.dataset, rung.stat_date, due_at, cutoff_at, moment)
