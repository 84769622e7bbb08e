"""Fit: what the days before a day lead to expect of it, before the day itself says how busy it is for all.

The expected count is the series' own mean times two factors: how its own days of that kind differ (Monday to Sunday,
shifted workday, holiday), and how its peers' figures of the same day do (same cell, same level, the series itself left
out). Where peers are few, the habit of such days stands in for them. Of all this only the peers' factor of the day
itself depends on the day, so a fit can be kept and held against figures of the day that come later.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from etl.catalog.rules import History
from etl.plausibility.history import HOLIDAY, Array, Figures, series_keys

OWN_KIND_WEIGHT = 20.0
"""Counts that a series needs on one kind of day before its own habit outweighs its peers'."""
DISPERSION_WEIGHT = 30.0
"""Days of a series that its peers' dispersion counts for."""
LEAST_DISPERSION = 0.01
TYPICAL = 3.0
"""In a mean, a figure counts for at most so many times the median of those that are not zero; in the sum of the peers
of a day, also for at most so many times what that day leads to expect of it, so that a day that is busy for all stays
so."""
ROUNDS = 2
SELDOM = 0.4
"""Share of the window's days below which a series is one that is mostly nothing."""
FEWEST_LUMPS = 10
LEAST_LUMP_SPREAD = 0.35
"""Of logarithms: two events on a day instead of one are two of these."""
FEWEST_CELLS = 5
"""Cells of a level with enough counts from which their middle factor is that of the day."""

Habit = Callable[[str, Array, Array], Array]
"""What stands in for peers that are few, by day: from a level, the sums of its cells and what was usual of them."""


@dataclass(frozen=True)
class Fit:
    """By series, in the order of `division` (division_id) and `cell` (cell_id):

    typical: the middle of its figures that are not zero. weight, mean: its usual count on a day of this kind, by the
    last round but one and by the last. expected: of each day before. dispersion: variance = expected + dispersion ×
    expected². past: its counts before. has_past, is_ready: enough history, and something in it. is_lumpy: mostly zero.
    centre, spread: of logarithms, robust: of a lumpy one as they are, of others beside what was expected.
    By level: habit, the usual factor of a day of this kind; shared, the counts before by cell_id.
    """

    division: Array
    cell: Array
    typical: Array
    weight: Array
    mean: Array
    expected: Array
    dispersion: Array
    past: Array
    has_past: Array
    is_ready: Array
    is_lumpy: Array
    centre: Array
    spread: Array
    levels: Array
    habit: Array
    shared: Array

    def of(self, figures: Figures) -> Self:
        """The same for the series of these figures; nothing is known of those that it does not have."""
        mine = series_keys(self.division, self.cell)
        order = np.argsort(mine)
        wanted = series_keys(figures.division_ids, figures.cell)
        place = np.searchsorted(mine, wanted, sorter=order)
        place = order[np.minimum(place, len(mine) - 1)]
        is_known = mine[place] == wanted
        lines = {
            name: np.where(is_known[:, None] if values.ndim == 2 else is_known, values[place], 0).astype(
                values.dtype
            )
            for name, values in vars(self).items()
            if name not in ("levels", "habit", "shared")
        }
        return replace(self, **lines)


def fit_past(figures: Figures, rule: History) -> Fit:
    """Fit the days before the last one of the window to say what is usual on a day of the last one's kind."""
    values = np.nan_to_num(figures.values[:, :-1])
    is_sent = ~np.isnan(figures.values[:, :-1])
    kinds, kind = figures.day_kinds[:-1], int(figures.day_kinds[-1])
    typical = _median_of_positive(values)
    capped = cap(values, typical)
    counted, past_days = capped.sum(axis=1), is_sent.sum(axis=1)
    mean = counted / np.maximum(past_days, 1)
    own = np.ones((len(values), HOLIDAY + 1), dtype=np.float32)
    levels = np.array(figures.divisions["level"].unique(), dtype=str)
    usual_of: dict[str, float] = dict.fromkeys(levels.tolist(), 1.0)

    def habit(level: str, sums: Array, weights: Array) -> Array:
        by_day, usual_of[level] = _habit(sums, weights, kinds, kind, rule.peers)
        return by_day

    for _ in range(ROUNDS):
        weight = mean[:, None] * own[:, kinds] * is_sent
        weight_today = mean * own[:, kind]
        peers = peer_factors(figures, values, capped, weight, rule.peers, habit)
        own = _own_factors(capped, mean[:, None] * peers * is_sent, kinds)
        usual = peers * own[:, kinds] * is_sent
        mean = counted / np.maximum(usual.sum(axis=1), 1e-6)
    expected = (mean[:, None] * peers * own[:, kinds]).astype(np.float32)
    has_past = past_days >= rule.fewest_days
    is_lumpy, centre, spread = _lumps(figures, values, rule.large_from)
    is_lumpy &= has_past
    is_large = ~is_lumpy & has_past & (capped.max(axis=1, initial=0) >= rule.large_from / TYPICAL)
    centre, spread = np.where(is_lumpy, centre, 0), np.where(is_lumpy, spread, 0)
    centre[is_large], spread[is_large] = _logs(figures.values[is_large, :-1], expected[is_large])
    shared = np.zeros((len(levels), int(figures.cells.index.max()) + 1))
    np.add.at(shared, (figures.level_numbers(levels.tolist()), figures.cell), counted)
    return Fit(
        division=figures.division_ids,
        cell=figures.cell,
        typical=typical,
        weight=weight_today.astype(np.float32),
        mean=(mean * own[:, kind]).astype(np.float32),
        expected=expected,
        dispersion=_dispersion(figures, capped, expected * is_sent).astype(np.float32),
        past=counted,
        has_past=has_past,
        is_ready=has_past & ((mean > 0) | is_lumpy),
        is_lumpy=is_lumpy,
        centre=centre.astype(np.float32),
        spread=spread.astype(np.float32),
        levels=levels,
        habit=np.array(list(usual_of.values())),
        shared=shared,
    )


def cap(values: Array, typical: Array) -> Array:
    """Figures as they count in a mean."""
    return np.asarray(np.minimum(values, TYPICAL * typical[:, None] + 3), dtype=np.float32)


def peer_factors(
    figures: Figures, values: Array, capped: Array, weight: Array, prior: float, habit: Habit
) -> Array:
    """How the peers' figures of each day compare with what is usual for them, each series left out of its own
    factor."""
    groups = figures.groups
    busy = np.maximum(_factors(figures, groups, capped, weight, prior, habit), 1)
    for_peers = np.minimum(values, np.maximum(capped, TYPICAL * weight * busy + 3)).astype(np.float32)
    return _factors(figures, groups, for_peers, weight, prior, habit)


def _factors(
    figures: Figures, groups: Array, values: Array, weight: Array, prior: float, habit: Habit
) -> Array:
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    group_values = np.add.reduceat(values, starts, axis=0)
    group_weight = np.add.reduceat(weight, starts, axis=0)
    level_of_group = figures.divisions["level"].to_numpy()[figures.owner[starts]]
    habits = np.ones_like(group_values)
    for level in np.unique(level_of_group):
        mine = level_of_group == level
        habits[mine] = habit(level, group_values[mine], group_weight[mine])
    others, usual = group_values[groups] - values, group_weight[groups] - weight
    return np.asarray((others + prior * habits[groups]) / (usual + prior), dtype=np.float32)


def middle_factor(values: Array, weight: Array, prior: float) -> tuple[Array, Array]:
    """Of each day, the middle of the factors of the cells that have enough counts, and whether enough cells have."""
    is_enough = weight >= prior
    ratio = np.where(is_enough, values / np.maximum(weight, 1e-6), np.inf)
    count = is_enough.sum(axis=0)
    ordered = np.sort(ratio, axis=0)
    middle = ordered[np.maximum(count - 1, 0) // 2, np.arange(values.shape[1])]
    return middle, count >= FEWEST_CELLS


def _habit(values: Array, weight: Array, kinds: Array, kind: int, prior: float) -> tuple[Array, float]:
    """Of each day of a level the middle factor; where too few cells have one, the middle of the days of its kind. With
    it that of days of one kind."""
    middle, is_known = middle_factor(values, weight, prior)
    usual = {each: np.median(middle[is_known & (kinds == each)]) for each in np.unique(kinds[is_known])}
    by_day = np.array([usual.get(each, 1.0) for each in kinds])
    return np.where(is_known, middle, by_day), float(usual.get(kind, 1.0))


def _median_of_positive(values: Array) -> Array:
    """The lower median of each line's values above zero; 0 where there is none."""
    ordered = np.sort(np.where(values > 0, values, np.inf), axis=1)
    count = np.maximum((values > 0).sum(axis=1), 1)
    median = ordered[np.arange(len(ordered)), (count - 1) // 2]
    return np.asarray(np.where(np.isfinite(median), median, 0), dtype=np.float32)


def _own_factors(values: Array, usual: Array, kinds: Array) -> Array:
    factors = np.ones((len(values), HOLIDAY + 1), dtype=np.float32)
    for kind in np.unique(kinds):
        past = np.flatnonzero(kinds == kind)
        counted, expected = values[:, past].sum(axis=1), usual[:, past].sum(axis=1)
        factors[:, kind] = (counted + OWN_KIND_WEIGHT) / (expected + OWN_KIND_WEIGHT)
    return factors


def _dispersion(figures: Figures, past: Array, usual: Array) -> Array:
    """Moment estimate, drawn towards that of the peers."""
    excess = ((past - usual) ** 2 - usual).sum(axis=1, dtype=np.float64)
    square = (usual**2).sum(axis=1, dtype=np.float64)
    groups = figures.groups
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    of_group = np.add.reduceat(excess, starts) / np.maximum(np.add.reduceat(square, starts), 1e-9)
    prior = DISPERSION_WEIGHT * square / max(usual.shape[1], 1)
    pooled = np.maximum(of_group, LEAST_DISPERSION)[groups]
    own = (excess + prior * pooled) / np.maximum(square + prior, 1e-9)
    return np.asarray(np.maximum(own, LEAST_DISPERSION))


def _logs(past: Array, expected: Array) -> tuple[Array, Array]:
    """Of the logarithms of figures beside what was expected of them: the middle, and how far they usually lie from
    it."""
    logs = np.log((past + 0.5) / (expected + 0.5))
    middle = np.nanmedian(logs, axis=1)
    return middle, 1.4826 * np.nanmedian(np.abs(logs - middle[:, None]), axis=1)


def _lumps(figures: Figures, past: Array, large_from: float) -> tuple[Array, Array, Array]:
    """Series that are mostly nothing and now and then a lot, such as the audience of an event: which they are, and the
    usual logarithm and its spread on the days that have any. A series with few such days borrows from its peers."""
    count = (past > 0).sum(axis=1)
    groups = figures.groups
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    centre, spread = np.zeros(len(starts)), np.ones(len(starts))
    is_asked = np.zeros(len(starts), dtype=bool)
    own = np.zeros(len(past))
    for group, (start, end) in enumerate(zip(starts, [*starts[1:], len(past)], strict=True)):
        some = past[start:end]
        logs = np.log(some[some > 0] + 0.5)
        if len(logs) < FEWEST_LUMPS or (centre_ := float(np.median(logs))) < np.log(large_from / 2):
            continue
        is_asked[group], centre[group] = True, centre_
        spread[group] = max(1.4826 * float(np.median(np.abs(logs - centre_))), LEAST_LUMP_SPREAD)
        own[start:end] = np.where(some > 0, np.log(some + 0.5), 0).sum(axis=1)
    usual = (own + FEWEST_LUMPS * centre[groups]) / (count + FEWEST_LUMPS)
    is_seldom = count < SELDOM * past.shape[1]
    return is_asked[groups] & is_seldom, usual, spread[groups]
