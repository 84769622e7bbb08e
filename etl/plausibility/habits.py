"""Habits: what shows only over months: round numbers, and nobody ever dissatisfied. Asked on a month's last day."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from etl.catalog.rules import AllSatisfied, Heaping
from etl.plausibility.finding import Finding, Published
from etl.plausibility.history import Array, Figures
from etl.rounding import percent, rounded

BANDS = (15, 25, 50, 100, 1_000)
"""Figures are compared with peers' figures of the same size: last digits of small numbers are not evenly spread."""


def is_month_end(day: date) -> bool:
    """Whether the day is its month's last."""
    return (day + timedelta(days=1)).month != day.month


def find_heaping(figures: Figures, published: Published, rule: Heaping) -> list[Finding]:
    """Units of whose figures too many are round, beside their peers' figures of the same size."""
    recent = np.nan_to_num(figures.values[:, -1 - rule.days :])
    series, place = np.nonzero(recent >= rule.least_value)
    value, owner = recent[series, place], figures.owner[series]
    units, bands = len(figures.divisions), len(BANDS) + 1
    band = np.searchsorted(BANDS, value, side="right")
    is_round = value % rule.base == 0
    count = np.bincount(owner * bands + band, minlength=units * bands).reshape(units, bands)
    round_ = np.bincount(owner * bands + band, weights=is_round, minlength=units * bands).reshape(
        units, bands
    )
    expected = np.zeros(units)
    variance = np.zeros(units)
    levels = figures.divisions["level"].to_numpy()
    for level in rule.levels:
        mine = levels == level.value
        others, round_others = count[mine].sum(axis=0) - count[mine], round_[mine].sum(axis=0) - round_[mine]
        # Ten figures of chance stand in for peers that have none of this size.
        share = (round_others + 10 / rule.base) / (others + 10)
        expected[mine] = (share * count[mine]).sum(axis=1)
        variance[mine] = (share * (1 - share) * count[mine]).sum(axis=1)
    figures_of, rounds_of = count.sum(axis=1), round_.sum(axis=1)
    deviations = (rounds_of - expected) / np.sqrt(np.maximum(variance, 1e-9))
    is_asked = np.isin(levels, [level.value for level in rule.levels])
    found = np.flatnonzero(
        is_asked
        & (figures_of >= rule.fewest_figures)
        & (rounds_of >= rule.share * figures_of)
        & (deviations >= rule.deviations)
    )
    heaped = np.bincount(owner, weights=np.where(is_round, value, 0), minlength=units)
    everything = max(sum(published.totals.values()), 1.0) * (rule.days + 1)
    return [
        Finding(
            check_code=rule.kind,
            unit_code=str(figures.divisions.at[unit, "code"]),
            level=levels[unit],
            measure=None,
            channel=None,
            value=int(rounds_of[unit]),
            effect=round(rounds_of[unit] * rule.base / 4),
            score=float(rounds_of[unit] * rule.base / 4 / everything),
            message=(
                f"近 {rule.days} 天不小于 {rule.least_value} 的 {figures_of[unit]} 个数据中有 "
                f"{rounds_of[unit]:.0f} 个为 {rule.base} 的整倍数（合计 {heaped[unit]:.0f}），"
                f"同级单位同等规模数据约为 {rounded(expected[unit], 0)} 个；"
                "请核对是否以估计数填报"
            ),
        )
        for unit in found
    ]


def find_all_satisfied(figures: Figures, published: Published, rule: AllSatisfied) -> list[Finding]:
    """Units in whose many answers nobody is dissatisfied, although at their peers' rate some would be."""
    recent = np.nan_to_num(figures.values[:, -1 - rule.days :]).sum(axis=1, dtype=np.float64)
    answered, dissatisfied = (
        _sum_of(figures, recent, measures) for measures in ((rule.answered,), rule.dissatisfied)
    )
    levels = figures.divisions["level"].to_numpy()
    found = []
    for level in rule.levels:
        mine = np.flatnonzero(levels == level.value)
        others = answered[mine].sum() - answered[mine]
        rate = np.clip((dissatisfied[mine].sum() - dissatisfied[mine]) / np.maximum(others, 1), 0, 1 - 1e-9)
        tail = np.exp(answered[mine] * np.log1p(-rate))
        is_asked = (answered[mine] >= rule.fewest_answers) & (dissatisfied[mine] == 0) & (tail < rule.tail)
        for unit, usual in zip(mine[is_asked], rate[is_asked], strict=True):
            effect = answered[unit] * usual
            found.append(
                Finding(
                    check_code=rule.kind,
                    unit_code=str(figures.divisions.at[unit, "code"]),
                    level=level.value,
                    measure=rule.answered,
                    channel=None,
                    value=int(answered[unit]),
                    effect=round(effect),
                    score=published.share(rule.answered, effect, rule.days + 1),
                    message=(
                        f"近 {rule.days} 天 {answered[unit]:.0f} 份回答中没有一份不满意（满意率 100%），"
                        f"同级其他单位不满意占比为 {percent(usual)}，按此约有 {shown_effect(effect)} 份；请说明测评方式"
                    ),
                )
            )
    return found


def shown_effect(effect: float) -> str:
    """At least one, in whole answers."""
    return str(rounded(max(effect, 1), 0))


def _sum_of(figures: Figures, sums: Array, measures: tuple[str, ...]) -> Array:
    wanted = figures.cells.index[figures.cells["measure"].isin(measures)]
    mine = np.isin(figures.cell, wanted)
    return np.bincount(figures.owner[mine], weights=sums[mine], minlength=len(figures.divisions))
