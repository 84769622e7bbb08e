"""Shifts: a division's level that is another one of late, and what a month's last reports add to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import numpy as np

from etl.catalog.rules import LevelShift, PeriodEnd
from etl.plausibility.baseline import Baseline
from etl.plausibility.finding import Finding, Published, ask, shown, subject_of
from etl.plausibility.history import Array, Figures

ONE_DAY = 3.0
"""A day counts for at most so many times what was expected of it: one wrong figure is no shift."""


def find_level_shifts(
    totals: Figures, baseline: Baseline, published: Published, rule: LevelShift
) -> list[Finding]:
    """Divisions whose recent sum departs from what the days before lead to expect; said when it begins to hold, not on
    each day after. Days on which too few units reported are NaN in `totals` and left out."""
    is_asked = baseline.is_ready & totals.of_levels(rule.levels)
    expected = np.where(np.isnan(totals.values), 0, baseline.expected).astype(np.float64)
    value = np.minimum(np.nan_to_num(totals.values), ONE_DAY * expected + 5).astype(np.float64)

    def holds(back: int) -> tuple[Array, Array, Array]:
        return _departs(value, expected, baseline.dispersion, back, rule)

    is_steady = baseline.dispersion <= rule.most_dispersion
    is_new, recent, fitting = _begins(holds, rule.quiet_days)
    found = []
    for series in np.flatnonzero(is_new & is_asked & is_steady):
        subject, usual = subject_of(totals, int(series)), float(fitting[series])
        actual = float(np.nansum(totals.values[series, -rule.recent_days :]))
        words = "上升" if recent[series] > usual else "下降"
        message = (
            f"{subject.name}最近 {rule.recent_days} 天合计 {shown(actual)} {subject.unit}，"
            f"按此前水平与同级其他地区走势约为 {shown(usual)} {subject.unit}，水平{words}；请说明原因"
        )
        found.append(ask(rule.kind, subject, actual, actual - usual, message, published, rule.recent_days))
    return found


def _begins(
    holds: Callable[[int], tuple[Array, Array, Array]], quiet_days: int
) -> tuple[Array, Array, Array]:
    """What holds today and on none of the quiet days before."""
    is_new, *numbers = holds(0)
    for back in range(1, quiet_days + 1):
        if not is_new.any():
            break
        is_new = is_new & ~holds(back)[0]
    return (is_new, *numbers)  # type: ignore[return-value]


def _departs(
    value: Array, expected: Array, dispersion: Array, back: int, rule: LevelShift
) -> tuple[Array, Array, Array]:
    """Whether the sum of the recent days departs, that sum, and what was expected of it, as of so many days
    back."""
    end = value.shape[1] - back
    cut = end - rule.recent_days
    recent, usual = value[:, cut:end].sum(axis=1), expected[:, cut:end].sum(axis=1)
    before, usual_before = value[:, :cut].sum(axis=1), expected[:, :cut].sum(axis=1)
    level = (before + 0.5) / (usual_before + 0.5)
    fitting = np.maximum(usual * level, 1e-6)
    ratio = (recent + 0.5) / (fitting + 0.5)
    by_chance = 1 / np.maximum(fitting, 1) + 1 / np.maximum(before, 1)
    by_unrest = dispersion * (
        (expected[:, cut:end] ** 2).sum(axis=1) / np.maximum(usual, 1e-6) ** 2
        + (expected[:, :cut] ** 2).sum(axis=1) / np.maximum(usual_before, 1e-6) ** 2
    )
    deviations = np.abs(np.log(ratio)) / np.sqrt(by_chance + by_unrest)
    departs = (
        (np.maximum(ratio, 1 / ratio) >= rule.ratio)
        & (deviations >= rule.deviations)
        & (np.abs(recent - fitting) >= rule.least_effect)
        & (usual > 0)
    )
    return departs, recent, fitting


def find_period_jumps(
    figures: Figures, baseline: Baseline, published: Published, rule: PeriodEnd
) -> list[Finding]:
    """On a month's last day: series whose last reports of the month sum to far more than is usual for such days."""
    day = figures.days[-1]
    if (day + timedelta(days=1)).month == day.month:
        return []
    in_month = np.array([(each.year, each.month) == (day.year, day.month) for each in figures.days])
    sent = figures.sent & in_month
    is_last = sent & (np.cumsum(sent[:, ::-1], axis=1)[:, ::-1] <= rule.reports)
    chosen = is_last[figures.owner]
    value = np.where(chosen, np.nan_to_num(figures.values), 0).sum(axis=1, dtype=np.float64)
    usual = np.where(chosen, baseline.expected, 0)
    expected = usual.sum(axis=1, dtype=np.float64)
    spread = np.sqrt(expected + baseline.dispersion * (usual**2).sum(axis=1) + 1e-6)
    is_jump = (
        baseline.is_ready
        & figures.of_levels(rule.levels)
        & (value >= rule.ratio * expected)
        & (value - expected >= rule.deviations * spread)
        & (value - expected >= rule.least_effect)
        & (is_last.sum(axis=1)[figures.owner] == rule.reports)
        & _is_on_several(figures, baseline, chosen)
    )
    found = []
    for series in np.flatnonzero(is_jump):
        subject = subject_of(figures, int(series))
        message = (
            f"{subject.name}月末最后 {rule.reports} 次报送合计 {shown(value[series])} {subject.unit}，"
            f"同类日通常约为 {shown(expected[series])} {subject.unit}；请说明是否集中补报"
        )
        effect = value[series] - expected[series]
        found.append(ask(rule.kind, subject, value[series], effect, message, published, rule.reports))
    return found


def _is_on_several(figures: Figures, baseline: Baseline, chosen: Array) -> Array:
    """Whether more than one of the reports is above what is usual: a single one is the matter of another rule."""
    above = chosen & (np.nan_to_num(figures.values) > 1.5 * baseline.expected)
    return np.asarray(above.sum(axis=1) > 1)
