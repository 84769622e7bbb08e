"""Repeats: units whose figures are, throughout, those of the report before."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import numpy as np
from sqlalchemy.engine import Connection

from etl.catalog import Level
from etl.catalog.rules import RepeatedDay, RepeatedVillage
from etl.plausibility.baseline import Baseline
from etl.plausibility.finding import Finding, Published, describe_series
from etl.plausibility.history import Array, Figures
from etl.warehouse import run_sql

PART_WEIGHT = 0.5
LONGEST_RUN = 8
"""Reports that are compared; a longer run is no more certain."""


def find_repeated_days(
    figures: Figures, baseline: Baseline, published: Published, rule: RepeatedDay, parts: Collection[str]
) -> list[Finding]:
    """Units whose report equals the one before, and maybe those before it, in every figure; the more so the less
    likely.

    parts: measures that are a part of another one. They follow it: theirs counts half, and says nothing where it is
    zero. A nil report may follow a nil report.
    """
    today = np.nan_to_num(figures.values[:, -1])
    units = len(figures.divisions)
    ready = np.flatnonzero(baseline.is_ready)
    surprise = np.zeros(len(today))
    surprise[ready] = baseline.surprise(ready, today[ready])
    is_part = figures.cells.loc[figures.cell, "measure"].isin(list(parts)).to_numpy()
    surprise *= np.where(is_part, np.where(today > 0, PART_WEIGHT, 0), 1)
    is_something = np.bincount(figures.owner, weights=today, minlength=units) > 0
    per_report = np.bincount(figures.owner, weights=surprise, minlength=units) * is_something
    run, is_same = np.zeros(units, dtype=np.int64), figures.sent[:, -1].copy()
    for place in _earlier_reports(figures, rule.within_days):
        earlier = np.nan_to_num(figures.values[np.arange(len(today)), place[figures.owner]])
        differs = np.bincount(figures.owner, weights=earlier != today, minlength=units) > 0
        is_same &= (place >= 0) & ~differs
        run += is_same
    found = np.flatnonzero(figures.is_at(rule.levels) & (run > 0) & (per_report * run >= rule.surprise))
    return [_finding(figures, baseline, published, int(unit), int(run[unit])) for unit in found]


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
    described = [describe_series(figures, int(series)) for series in mine]
    shares = [published.share(each[2], effect) for each, effect in zip(described, effects, strict=True)]
    largest = int(np.argmax(shares))
    total = int(figures.values[mine, -1].sum())
    code, level, *_ = described[largest]
    return Finding(
        check_code="repeated_day",
        unit_code=code,
        level=level,
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
    conn: Connection, day: date, published: Published, rule: RepeatedVillage
) -> list[Finding]:
    """Villages whose last reports that are not nil say the same throughout; read from the submissions themselves."""
    slice_ = {
        "day": day,
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
