"""Judge: ask the rules of plausibility of one day, and write what they find as flags."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Self

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from etl.catalog import Catalog, Level
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
from etl.plausibility.baseline import Baseline, expect
from etl.plausibility.counts import find_count_faults
from etl.plausibility.finding import Finding, Published
from etl.plausibility.fit import Fit, fit_past
from etl.plausibility.habits import find_all_satisfied, find_heaping, is_month_end
from etl.plausibility.history import (
    TOTAL,
    Array,
    Figures,
    Reporting,
    day_kinds,
    read_cells,
    read_divisions,
    read_own,
    read_reporting,
    read_totals,
    window,
)
from etl.plausibility.kept import Fits, keep_fits, read_fits
from etl.plausibility.pairs import find_unbalanced_pairs
from etl.plausibility.repeats import find_repeated_days, find_repeated_villages
from etl.plausibility.shifts import find_level_shifts, find_period_jumps
from etl.plausibility.villages import find_village_gaps, find_village_sums, sum_villages
from etl.warehouse import run_sql

JUDGED = (Level.CITY, Level.COUNTY, Level.TOWNSHIP)
"""Levels whose own figures are read: those of villages are nearly all zero, and far too many."""


def flag_day(engine: Engine, catalog: Catalog, day: date) -> int:
    """Judge what changed of a day that is rolled up; returns how many flags of the day are not closed.

    A flag asks; it holds nothing back and judges nobody. Flags that no longer hold are closed with the reason, those
    that hold stay as they are with what was explained. One transaction; run again, it changes nothing.

    Rolled up whole, the day is judged whole, at the cost of the declared window (kind history), whatever the years
    stored. After that the units that changed and the divisions above them are judged beside what the window led to
    expect then; flags of others stay, even where these are peers. Later days, of whose history this one is a part, are
    not judged again.
    """
    history, queue = catalog.rule(History), catalog.rule(Queue)
    assert history is not None, "the catalogue refuses rules without a history"
    assert queue is not None, "the catalogue refuses rules without a queue"
    with engine.begin() as conn:
        moment = take_day(conn, day)
        rolled_up = run_sql(conn, "plausibility/begin", {"day": day}).one_or_none()
        if rolled_up is None or rolled_up.rolled_up_at is None:
            return 0
        view = _View.of(conn, catalog, history, queue, day)
        touched = None
        if rolled_up.units_unjudged is not None:
            touched = _read_touched(conn, view, rolled_up.units_unjudged)
        if touched is None:
            findings = _judge_whole(conn, view, moment)
        else:
            findings = _judge_touched(conn, view, touched) if len(touched.divisions) else []
        calendar = catalog.calendars[queue.calendar]
        due = calendar.workday_after(rolled_up.rolled_up_on, queue.due_workdays, is_guess=True)
        _record(conn, catalog, day, findings, touched, moment, due)
        run_sql(conn, "plausibility/finish", {"day": day, "moment": moment})
        query = "SELECT count(*) FROM quality.flag WHERE stat_date = :day AND score IS NOT NULL AND state <> 'closed'"
        count: int = conn.execute(sa.text(query), {"day": day}).scalar_one()
    return count


@dataclass(frozen=True)
class _View:
    """The day, its window, and what is declared of it."""

    catalog: Catalog
    history: History
    days: list[date]
    kinds: Array
    cells: pd.DataFrame
    divisions: pd.DataFrame

    @classmethod
    def of(cls, conn: Connection, catalog: Catalog, history: History, queue: Queue, day: date) -> Self:
        days = window(day, history.days)
        kinds = day_kinds(days, catalog.calendars[queue.calendar])
        divisions = read_divisions(conn, day, [level.value for level in JUDGED])
        return cls(catalog, history, days, kinds, read_cells(conn), divisions)

    @property
    def day(self) -> date:
        return self.days[-1]


@dataclass(frozen=True)
class _Touched:
    """divisions: division_id, code and level of the units that changed and of all above them. fits: what their figures
    are held against."""

    divisions: pd.DataFrame
    fits: Fits


def _read_touched(conn: Connection, view: _View, units: list[int]) -> _Touched | None:
    """What there is to judge beside units; None where only the whole day will do: nothing is kept of it, one of them
    restated its history too, or the month ends, whose habits are compared with all peers'."""
    fits = read_fits(conn, view.day, view.history)
    if fits is None or is_month_end(view.day):
        return None
    found = run_sql(conn, "plausibility/touched", {"day": view.day, "units": units})
    divisions = pd.DataFrame(found.all(), columns=list(found.keys()))
    past = {"first": view.days[0], "day": view.day, "divisions": divisions["division_id"].tolist()}
    with _looking_up_by_key(conn):
        is_changed = run_sql(
            conn, "plausibility/is_past_changed", past | {"fitted_at": fits.fitted_at}
        ).scalar_one()
    return None if is_changed else _Touched(divisions, fits)


def _judge_whole(conn: Connection, view: _View, moment: datetime) -> list[Finding]:
    """What every declared rule finds on the day; keeps what the window led to expect."""
    if view.cells.empty or view.divisions.empty:
        return []
    with _looking_up_by_key(conn):
        published = _published(conn, view.days, view.cells)
        units = read_reporting(conn, view.days, view.divisions["division_id"].to_numpy())
        own = read_own(conn, view.days, view.kinds, view.divisions, view.cells, units)
        totals = read_totals(conn, view.days, view.kinds, view.divisions, view.cells, units)
        findings = _repeated_villages(conn, view, published, None)
    if len(own.owner):
        own_fit = fit_past(own, view.history)
        findings += _of_own(view, own, expect(own_fit, own, view.history), published)
        if is_month_end(view.day):
            findings += _habits(own, published, view.catalog)
    if len(totals.owner):
        totals = _where_whole(view, totals, units)
        totals_fit = fit_past(totals, view.history)
        findings += _shifts(view, totals, expect(totals_fit, totals, view.history), published)
        findings += _of_villages(view, totals, own, units, published)
    if len(own.owner) and len(totals.owner):
        keep_fits(
            conn,
            view.day,
            Fits(moment, replace(own_fit, expected=own_fit.expected[:, :0]), totals_fit),
            view.history,
        )
    findings += find_unbalanced_pairs(conn, view.catalog, view.day, published, None)
    return findings


def _judge_touched(conn: Connection, view: _View, touched: _Touched) -> list[Finding]:
    """What every declared rule finds about them. Of their peers only the day itself is read."""
    near = _near(view.divisions, touched.divisions)
    is_above = (view.divisions["level"] != Level.TOWNSHIP.value).to_numpy()
    above = view.divisions[is_above].reset_index(drop=True)
    judged = touched.divisions["division_id"].tolist()
    today, kind = view.days[-1:], view.kinds[-1:]
    with _looking_up_by_key(conn):
        published = _published(conn, view.days, view.cells)
        units = read_reporting(conn, view.days, near["division_id"].to_numpy())
        all_units = read_reporting(conn, today, view.divisions["division_id"].to_numpy())
        above_units = all_units.take(is_above)
        own = read_own(conn, view.days, view.kinds, near, view.cells, units)
        all_own = read_own(
            conn, today, kind, view.divisions, view.cells, all_units, _series(touched.fits.own, own)
        )
        totals = read_totals(conn, view.days, view.kinds, near, view.cells, units)
        all_totals = read_totals(
            conn, today, kind, above, view.cells, above_units, _series(touched.fits.totals, totals)
        )
        findings = _repeated_villages(conn, view, published, judged)
    baseline = expect(touched.fits.own.of(all_own), all_own, view.history).take(all_own.places(own))
    findings += _of_own(view, own, baseline, published)
    totals, all_totals = _where_whole(view, totals, units), _where_whole(view, all_totals, above_units)
    baseline = expect(touched.fits.totals.of(all_totals), all_totals, view.history).take(
        all_totals.places(totals)
    )
    findings += _shifts(view, totals, baseline, published)
    findings += _of_villages(view, totals, own, units, published)
    findings += find_unbalanced_pairs(conn, view.catalog, view.day, published, judged)
    return [each for each in findings if each.unit_code in set(touched.divisions["code"])]


def _near(divisions: pd.DataFrame, touched: pd.DataFrame) -> pd.DataFrame:
    """The divisions touched, and those below the counties among them, which a county's villages are told apart by."""
    counties = touched.loc[touched["level"] == Level.COUNTY.value, "division_id"]
    is_near = divisions["division_id"].isin(touched["division_id"]) | divisions["parent_id"].isin(counties)
    return divisions[is_near].reset_index(drop=True)


def _series(fit: Fit, figures: Figures) -> tuple[Array, Array]:
    """division_id and cell_id of the series of both."""
    return np.append(fit.division, figures.division_ids), np.append(fit.cell, figures.cell)


def _repeated_villages(
    conn: Connection, view: _View, published: Published, units: list[int] | None
) -> list[Finding]:
    rule = view.catalog.rule(RepeatedVillage)
    return find_repeated_villages(conn, view.day, published, rule, units) if rule is not None else []


def _of_own(view: _View, own: Figures, baseline: Baseline, published: Published) -> list[Finding]:
    """Rules about what units report themselves."""
    if not own.sent[:, -1].any():
        return []
    findings = find_count_faults(own, baseline, published, view.catalog)
    repeated, jump = view.catalog.rule(RepeatedDay), view.catalog.rule(PeriodEnd)
    if repeated is not None:
        findings += find_repeated_days(own, baseline, published, repeated, view.catalog.wholes())
    if jump is not None and is_month_end(view.day):
        findings += find_period_jumps(own, baseline, published, jump)
    return findings


@contextmanager
def _looking_up_by_key(conn: Connection) -> Iterator[None]:
    """Meanwhile each day of the window is looked up by its key: joined by hashing, PostgreSQL would read months of all
    villages for some thousand units."""
    switch = sa.text(
        "SELECT set_config('enable_hashjoin', :on, true), set_config('enable_mergejoin', :on, true)"
    )
    conn.execute(switch, {"on": "off"})
    yield
    conn.execute(switch, {"on": "on"})


def _habits(own: Figures, published: Published, catalog: Catalog) -> list[Finding]:
    heaping, satisfied = catalog.rule(Heaping), catalog.rule(AllSatisfied)
    findings = find_heaping(own, published, heaping) if heaping is not None else []
    return findings + (find_all_satisfied(own, published, satisfied) if satisfied is not None else [])


def _where_whole(view: _View, totals: Figures, units: Reporting) -> Figures:
    """Totals, without those of days on which too few units reported."""
    rule = view.catalog.rule(LevelShift)
    if rule is None:
        return totals
    is_whole = units.reported >= rule.least_reported * np.maximum(units.expected, 1)
    return replace(totals, values=np.where(is_whole[totals.owner], totals.values, np.nan).astype(np.float32))


def _shifts(view: _View, totals: Figures, baseline: Baseline, published: Published) -> list[Finding]:
    rule = view.catalog.rule(LevelShift)
    return find_level_shifts(totals, baseline, published, rule) if rule is not None else []


def _of_villages(
    view: _View, totals: Figures, own: Figures, units: Reporting, published: Published
) -> list[Finding]:
    """Rules about counties' own figures beside their villages' sums."""
    gap, same = view.catalog.rule(VillageGap), view.catalog.rule(VillageSum)
    expected, reported = _villages(totals.divisions, units)
    sums = sum_villages(totals, own, expected, reported)
    findings = find_village_gaps(sums, totals, published, gap) if gap is not None else []
    return findings + (find_village_sums(sums, totals, published, same) if same is not None else [])


def _villages(divisions: pd.DataFrame, units: Reporting) -> tuple[Array, Array]:
    """Villages expected and reported below each county: what is below it without its townships' own units."""
    ids = {number: line for line, number in enumerate(divisions["division_id"])}
    parent = np.array([ids.get(each, -1) for each in divisions["parent_id"]], dtype=np.int64)
    is_township = (divisions["level"] == Level.TOWNSHIP.value).to_numpy() & (parent >= 0)
    both = []
    for below, itself in ((units.expected, units.own_expected), (units.reported, units.own_reported)):
        rest = below - itself
        np.subtract.at(rest, parent[is_township], itself[is_township])
        both.append(np.maximum(rest, 0))
    return both[0], both[1]


def _published(conn: Connection, days: list[date], cells: pd.DataFrame) -> Published:
    totals = cells.index[cells["channel"] == TOTAL].tolist()
    lines = run_sql(conn, "plausibility/published", {"first": days[0], "day": days[-1], "cells": totals})
    return Published({str(cells.at[line.cell_id, "measure"]): float(line.value) for line in lines})


def _record(
    conn: Connection,
    catalog: Catalog,
    day: date,
    findings: Iterable[Finding],
    touched: _Touched | None,
    moment: datetime,
    due: date,
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
        "codes": None if touched is None else touched.divisions["code"].tolist(),
    }
    for step in ("close_gone", "findings", "finding_batches", "record"):
        run_sql(conn, f"plausibility/{step}", slice_)
