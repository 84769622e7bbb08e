"""Repeats: units whose figures are, throughout, those of the report before."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

import numpy as np
import pandas as pd
from scipy import special
from sqlalchemy.engine import Connection

from etl.catalog import Level
from etl.catalog.rules import RepeatedDay, RepeatedVillage
from etl.plausibility.baseline import Baseline
from etl.plausibility.finding import Finding, Published, subject_of
from etl.plausibility.history import TOTAL, Array, Figures
from etl.warehouse import run_sql

Wholes = Mapping[tuple[str, ...], str]
BORROWED = 20.0
"""Counts of a whole for which its peers' way of sharing it out stands in."""
LONGEST_RUN = 8
"""Reports that are compared; a longer run is no more certain."""


def find_repeated_days(
    figures: Figures, baseline: Baseline, published: Published, rule: RepeatedDay, wholes: Wholes
) -> list[Finding]:
    """Units whose report equals the one before, and maybe those before it, in every figure; the more so the less
    likely. A nil report may follow a nil report."""
    today = np.nan_to_num(figures.values[:, -1])
    units = len(figures.divisions)
    is_something = np.bincount(figures.owner, weights=today, minlength=units) > 0
    per_report = report_surprise(figures, baseline, wholes) * is_something
    run, is_same = np.zeros(units, dtype=np.int64), figures.sent[:, -1].copy()
    for place in _earlier_reports(figures, rule.within_days):
        earlier = np.nan_to_num(figures.values[np.arange(len(today)), place[figures.owner]])
        differs = np.bincount(figures.owner, weights=earlier != today, minlength=units) > 0
        is_same &= (place >= 0) & ~differs
        run += is_same
    found = np.flatnonzero(figures.is_at(rule.levels) & (run > 0) & (per_report * run >= rule.surprise))
    return [_finding(figures, baseline, published, int(unit), int(run[unit])) for unit in found]


def report_surprise(figures: Figures, baseline: Baseline, wholes: Wholes) -> Array:
    """By unit: minus the natural logarithm of the probability of exactly today's report.

    Counts are held against their own history; of a whole's parts it is asked how it is usually shared out among them.
    """
    units, width = len(figures.divisions), int(figures.cells.index.max()) + 1
    today, past, surprise = np.zeros((3, units, width))
    today[figures.owner, figures.cell] = np.nan_to_num(figures.values[:, -1])
    past[figures.owner, figures.cell] = baseline.past
    ready = np.flatnonzero(baseline.is_ready)
    surprise[figures.owner[ready], figures.cell[ready]] = baseline.surprise(
        ready, np.nan_to_num(figures.values[ready, -1])
    )
    number, levels = pd.factorize(figures.divisions["level"])
    peers = np.array([baseline.shared.get(level, np.zeros(width)) for level in levels])
    number_of = {pair: number for number, pair in zip(figures.cells.index, _pairs(figures), strict=True)}
    total: Array = np.zeros(units)
    is_shared = np.zeros(width, dtype=bool)
    for parts, whole in wholes.items():
        for channel in figures.cells["channel"].unique():
            columns = [number_of[part, channel] for part in parts if (part, channel) in number_of]
            if columns and (whole, channel) in number_of and channel != TOTAL:
                of = number_of[whole, channel]
                of_today, of_past, of_peers = (_shares(each, columns, of) for each in (today, past, peers))
                total += _sharing_surprise(of_today, of_past, of_peers, number)
                is_shared[columns] = True
    total += surprise[:, ~is_shared].sum(axis=1)
    return total


def _pairs(figures: Figures) -> list[tuple[str, str]]:
    return list(zip(figures.cells["measure"], figures.cells["channel"], strict=True))


def _shares(counts: Array, parts: list[int], whole: int) -> Array:
    """By line: the parts, and what is left of the whole beside them."""
    rest = np.maximum(counts[:, whole] - counts[:, parts].sum(axis=1), 0)
    return np.column_stack([counts[:, parts], rest])


def _sharing_surprise(today: Array, past: Array, peers: Array, level: Array) -> Array:
    """The same of how a whole is shared out, by the unit's own history and, as long as that is short, its peers'."""
    usual = (peers + 1) / (peers + 1).sum(axis=1, keepdims=True)
    share = past + BORROWED * usual[level]
    share /= share.sum(axis=1, keepdims=True)
    ways = special.gammaln(today.sum(axis=1) + 1) - special.gammaln(today + 1).sum(axis=1)
    return np.asarray(-ways - (today * np.log(share)).sum(axis=1))


def _earlier_reports(figures: Figures, within_days: int) -> list[Array]:
    """For each report before today's, the newest first: the place of its day for each unit, -1 where there is none."""
    recent = figures.sent[:, -1 - within_days : -1]
    offset = figures.sent.shape[1] - 1 - recent.shape[1]
    order = np.cumsum(recent[:, ::-1], axis=1)[:, ::-1]
    places = []
    for number in range(1, LONGEST_RUN + 1):
        is_it = recent & (order == number)
        places.append(np.where(is_it.any(axis=1), is_it.argmax(axis=1) + offset, -1))
    return places


def _finding(figures: Figures, baseline: Baseline, published: Published, unit: int, run: int) -> Finding:
    mine = np.flatnonzero((figures.owner == unit) & (figures.values[:, -1] > 0))
    effects = figures.values[mine, -1] - baseline.expected[mine, -1]
    subjects = [subject_of(figures, int(series)) for series in mine]
    shares = [published.share(each.measure, effect) for each, effect in zip(subjects, effects, strict=True)]
    largest = int(np.argmax(shares))
    total = int(figures.values[mine, -1].sum())
    return Finding(
        check_code="repeated_day",
        unit_code=subjects[largest].code,
        level=subjects[largest].level,
        measure=None,
        channel=None,
        value=total,
        effect=round(float(effects[largest])),
        score=shares[largest],
        message=(
            f"本日 {len(mine)} 项非零数据（合计 {total}）与此前连续 {run} 次报送逐项相同，按历史波动极少出现；"
            "请核对是否沿用了此前的报表"
        ),
    )


def find_repeated_villages(
    conn: Connection, day: date, published: Published, rule: RepeatedVillage, units: Collection[int] | None
) -> list[Finding]:
    """Villages, all or those among some units, whose last reports that are not nil say the same throughout; read from
    the submissions themselves."""
    slice_ = {
        "day": day,
        "units": units,
        "least_total": rule.least_total,
        "within_days": rule.within_days,
        "reports": rule.reports,
    }
    return [
        Finding(
            check_code=rule.kind,
            unit_code=line.unit_code,
            level=Level.VILLAGE.value,
            measure=None,
            channel=None,
            value=line.total,
            effect=line.total,
            score=line.total / max(sum(published.totals.values()), 1.0),
            message=(
                f"最近 {rule.reports} 次非零报送逐项相同（每次合计 {line.total}）；请核对是否沿用了此前的报表"
            ),
        )
        for line in run_sql(conn, "plausibility/repeated_villages", slice_)
    ]
