"""Judge: ask the rules of plausibility of one day, and write what they find as flags."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from typing import Literal

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from etl.catalog import Calendar, Catalog, Level
from etl.catalog.rules import (
    AllSatisfied,
    Heaping,
    History,
    LevelShift,
    PeriodEnd,
    Queue,
    RepeatedDay,
    RepeatedVillage,
    VillageGap,
    VillageSum,
)
from etl.load import take_day
from etl.plausibility.baseline import fit_baseline
from etl.plausibility.counts import find_count_faults
from etl.plausibility.finding import Finding, Published
from etl.plausibility.habits import find_all_satisfied, find_heaping, is_month_end
from etl.plausibility.history import (
    TOTAL,
    Array,
    Figures,
    Reporting,
    day_kinds,
    is_worked,
    read_cells,
    read_divisions,
    read_own,
    read_totals,
    window,
)
from etl.plausibility.pairs import find_unbalanced_pairs
from etl.plausibility.repeats import find_repeated_days, find_repeated_villages
from etl.plausibility.shifts import find_level_shifts, find_period_jumps
from etl.plausibility.villages import find_village_gaps, find_village_sums, sum_villages
from etl.warehouse import run_sql

JUDGED = (Level.CITY, Level.COUNTY, Level.TOWNSHIP)
"""Levels whose own figures are read: those of villages are nearly all zero, and far too many."""


def flag_day(engine: Engine, catalog: Catalog, day: date) -> int:
    """Judge a day that is rolled up; returns how many flags of the day are not closed.

    A flag asks; it holds nothing back and judges nobody. Flags of the day that no longer hold are closed with the
    reason, those that hold stay as they are with what was explained. One transaction; run again, it changes nothing.
    The cost is that of the declared window (kind history), whatever the years stored.
    """
    history, queue = catalog.rule(History), catalog.rule(Queue)
    assert history is not None, "the catalogue refuses rules without a history"
    assert queue is not None, "the catalogue refuses rules without a queue"
    with engine.begin() as conn:
        moment = take_day(conn, day)
        rolled_up = run_sql(conn, "plausibility/begin", {"day": day}).one_or_none()
        if rolled_up is None or rolled_up.rolled_up_at is None:
            return 0
        findings = find_all(conn, catalog, history, queue, day)
        due = due_date(rolled_up.rolled_up_on, queue.due_workdays, catalog.calendars[queue.calendar])
        _record(conn, catalog, day, findings, moment, due)
        run_sql(conn, "plausibility/finish", {"day": day, "moment": moment})
        query = "SELECT count(*) FROM quality.flag WHERE stat_date = :day AND score IS NOT NULL AND state <> 'closed'"
        count: int = conn.execute(sa.text(query), {"day": day}).scalar_one()
    return count


def find_all(conn: Connection, catalog: Catalog, history: History, queue: Queue, day: date) -> list[Finding]:
    """What every declared rule finds on the day."""
    days = window(day, history.days)
    kinds = day_kinds(days, catalog.calendars[queue.calendar])
    cells = read_cells(conn)
    divisions = read_divisions(conn, day, [level.value for level in JUDGED])
    if cells.empty or divisions.empty:
        return []
    _look_up_by_key(conn, "on")
    published = _published(conn, days, cells)
    findings: list[Finding] = []
    own = read_own(conn, days, kinds, divisions, cells)
    if len(own.owner) and own.sent[:, -1].any():
        baseline = fit_baseline(own, history)
        findings += find_count_faults(own, baseline, published, catalog)
        repeated, jump = catalog.rule(RepeatedDay), catalog.rule(PeriodEnd)
        if repeated is not None:
            findings += find_repeated_days(own, baseline, published, repeated, catalog.parts())
        if jump is not None:
            findings += find_period_jumps(own, baseline, published, jump)
        if is_month_end(day):
            findings += _habits(own, published, catalog)
    village = catalog.rule(RepeatedVillage)
    if village is not None:
        findings += find_repeated_villages(conn, day, published, village)
    findings += _of_totals(conn, catalog, history, own, published)
    _look_up_by_key(conn, "off")
    return findings + find_unbalanced_pairs(conn, catalog, day, published)


def _look_up_by_key(conn: Connection, switch: Literal["on", "off"]) -> None:
    """While on, each day of the window is looked up by its key: joined by hashing, PostgreSQL would read months of all
    villages for some thousand units."""
    for name in ("enable_hashjoin", "enable_mergejoin"):
        words = {"name": name, "value": "off" if switch == "on" else "on"}
        conn.execute(sa.text("SELECT set_config(:name, :value, true)"), words)


def _habits(own: Figures, published: Published, catalog: Catalog) -> list[Finding]:
    heaping, satisfied = catalog.rule(Heaping), catalog.rule(AllSatisfied)
    findings = find_heaping(own, published, heaping) if heaping is not None else []
    return findings + (find_all_satisfied(own, published, satisfied) if satisfied is not None else [])


def _of_totals(
    conn: Connection, catalog: Catalog, history: History, own: Figures, published: Published
) -> list[Finding]:
    """Rules about the totals of divisions: counties, and cities where a rule names them."""
    shift, gap, same = catalog.rule(LevelShift), catalog.rule(VillageGap), catalog.rule(VillageSum)
    divisions = own.divisions
    totals, units, of_self = read_totals(conn, own.days, own.day_kinds, divisions, own.cells)
    if not len(totals.owner):
        return []
    findings: list[Finding] = []
    if shift is not None:
        is_whole = units.reported >= shift.least_reported * np.maximum(units.expected, 1)
        whole = replace(
            totals, values=np.where(is_whole[totals.owner], totals.values, np.nan).astype(np.float32)
        )
        findings += find_level_shifts(whole, fit_baseline(whole, history), published, shift)
    if gap is not None or same is not None:
        expected, reported = _villages(divisions, units, of_self)
        sums = sum_villages(totals, own, expected, reported)
        findings += find_village_gaps(sums, totals, published, gap) if gap is not None else []
        findings += find_village_sums(sums, totals, published, same) if same is not None else []
    return findings


def _villages(divisions: pd.DataFrame, units: Reporting, of_self: Reporting) -> tuple[Array, Array]:
    """Villages expected and reported below each county: what is below it without its townships' own units."""
    ids = {number: line for line, number in enumerate(divisions["division_id"])}
    parent = np.array([ids.get(each, -1) for each in divisions["parent_id"]])
    is_township = (divisions["level"] == Level.TOWNSHIP.value).to_numpy() & (parent >= 0)
    both = []
    for below, itself in ((units.expected, of_self.expected), (units.reported, of_self.reported)):
        rest = below - itself
        np.subtract.at(rest, parent[is_township], itself[is_township])
        both.append(np.maximum(rest, 0))
    return both[0], both[1]


def _published(conn: Connection, days: list[date], cells: pd.DataFrame) -> Published:
    totals = cells.index[cells["channel"] == TOTAL].tolist()
    lines = run_sql(conn, "plausibility/published", {"first": days[0], "day": days[-1], "cells": totals})
    return Published({str(cells.at[line.cell_id, "measure"]): float(line.value) for line in lines})


def due_date(start: date, workdays: int, calendar: Calendar) -> date:
    """So many working days after a day."""
    day = start
    while workdays:
        day += timedelta(days=1)
        workdays -= is_worked(day, calendar)
    return day


def _record(
    conn: Connection, catalog: Catalog, day: date, findings: Iterable[Finding], moment: datetime, due: date
) -> None:
    recipients = [
        {"division_code": each.division, "recipient": each.id}
        for each in catalog.recipients.values()
        if each.division is not None
    ]
    slice_ = {
        "day": day,
        "findings": json.dumps([asdict(each) for each in findings], ensure_ascii=False),
        "recipients": json.dumps(recipients),
        "due_date": due,
        "moment": moment,
    }
    run_sql(conn, "plausibility/close_gone", slice_)
    run_sql(conn, "plausibility/record", slice_)
