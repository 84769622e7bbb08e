"""Baseline: what each series leads to expect of each day, and how unlikely a figure is beside it.

The expected count is the series' own mean times two factors: how its own days of that kind differ (Monday to Sunday,
shifted workday, holiday), and how its peers' figures of the same day do (same cell, same level, the series itself left
out). Where peers are few, the habit of such days stands in for them. Counts follow a negative binomial whose dispersion
is the series' own, drawn towards its peers'; large counts are judged by the median and MAD of their logarithms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from etl.catalog.rules import History
from etl.plausibility.history import HOLIDAY, Array, Figures

OWN_KIND_WEIGHT = 20.0
"""Counts that a series needs on one kind of day before its own habit outweighs its peers'."""
DISPERSION_WEIGHT = 30.0
"""Days of a series that its peers' dispersion counts for."""
LEAST_DISPERSION = 0.01
LEAST_SPREAD = 0.1
"""Of logarithms: a tenth. What varies less is not trusted to go on doing so."""
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


@dataclass(frozen=True)
class Baseline:
    """expected: by series and day. dispersion: of each series (variance = expected + dispersion × expected²). is_ready:
    series with enough history. is_large, is_lumpy: series judged by logarithms; of these, centre is the logarithm
    that is usual today, and spread their robust standard deviation. A lumpy one is mostly zero: zero is never unusual
    of it."""

    expected: Array
    dispersion: Array
    is_ready: Array
    is_large: Array
    is_lumpy: Array
    centre: Array
    spread: Array

    @property
    def is_by_logs(self) -> Array:
        """Series judged by logarithms."""
        return np.asarray(self.is_large | self.is_lumpy)

    def usual(self, series: int) -> float:
        """What the series leads to expect today; of a lumpy one, where there is anything at all."""
        if self.is_lumpy[series]:
            return float(np.exp(self.centre[series]) - 0.5)
        return float(self.expected[series, -1])

    def upper_tail(self, series: Array, value: Array) -> Array:
        """Probability of the value or more today, by the negative binomial."""
        expected, size = self._today(series)
        return np.asarray(
            np.where(
                value > 0, special.betainc(np.maximum(value, 1e-9), size, expected / (size + expected)), 1.0
            )
        )

    def lower_tail(self, series: Array, value: Array) -> Array:
        """Probability of the value or less today, by the negative binomial."""
        expected, size = self._today(series)
        return np.asarray(special.betainc(size, np.maximum(value, 0) + 1, size / (size + expected)))

    def surprise(self, series: Array, value: Array) -> Array:
        """Minus the natural logarithm of the probability of exactly this value today."""
        expected, size = self._today(series)
        log = (
            special.gammaln(value + size) - special.gammaln(size) - special.gammaln(value + 1)
            + size * np.log(size / (size + expected)) + value * np.log(expected / (size + expected))
        )  # fmt: skip
        return np.asarray(-log)

    def deviations(self, series: Array, value: Array) -> Array:
        """How many robust standard deviations the value's logarithm lies from what is usual; of series judged by
        logs."""
        return np.asarray((np.log(value + 0.5) - self.centre[series]) / self.spread[series])

    def _today(self, series: Array) -> tuple[Array, Array]:
        return np.maximum(self.expected[series, -1].astype(np.float64), 1e-6), 1.0 / self.dispersion[series]


def fit_baseline(figures: Figures, rule: History) -> Baseline:
    """Fit the expected counts of all days of the window; only days before the last say what is usual for a series."""
    values = np.nan_to_num(figures.values)
    is_sent = ~np.isnan(figures.values)
    typical = _median_of_positive(values[:, :-1])[:, None]
    capped = np.minimum(values, TYPICAL * typical + 3).astype(np.float32)
    past_days = is_sent[:, :-1].sum(axis=1)
    mean = capped[:, :-1].sum(axis=1) / np.maximum(past_days, 1)
    peers = np.ones_like(values, dtype=np.float32)
    own = np.ones((len(values), HOLIDAY + 1), dtype=np.float32)
    for _ in range(ROUNDS):
        weight = mean[:, None] * own[:, figures.day_kinds] * is_sent
        busy = np.maximum(_peer_factors(figures, capped, weight, rule.peers), 1)
        for_peers = np.minimum(values, np.maximum(capped, TYPICAL * weight * busy + 3)).astype(np.float32)
        peers = _peer_factors(figures, for_peers, weight, rule.peers)
        usual = mean[:, None] * peers * is_sent
        own = _own_factors(capped, usual, figures.day_kinds)
        usual = peers * own[:, figures.day_kinds] * is_sent
        mean = capped[:, :-1].sum(axis=1) / np.maximum(usual[:, :-1].sum(axis=1), 1e-6)
    expected = mean[:, None] * peers * own[:, figures.day_kinds]
    dispersion = _dispersion(figures, capped, expected * is_sent)
    has_past = past_days >= rule.fewest_days
    is_lumpy, *lumps = _lumps(figures, values[:, :-1], rule.large_from)
    is_lumpy &= has_past
    is_large = ~is_lumpy & has_past & (expected[:, -1] >= rule.large_from)
    centre, spread = _spread(figures.values[:, :-1], expected, is_large)
    centre[is_lumpy], spread[is_lumpy] = lumps[0][is_lumpy], lumps[1][is_lumpy]
    is_ready = has_past & ((mean > 0) | is_lumpy)
    return Baseline(expected, dispersion, is_ready, is_large, is_lumpy, centre, spread)


def _median_of_positive(values: Array) -> Array:
    """The lower median of each line's values above zero; 0 where there is none."""
    ordered = np.sort(np.where(values > 0, values, np.inf), axis=1)
    count = np.maximum((values > 0).sum(axis=1), 1)
    median = ordered[np.arange(len(ordered)), (count - 1) // 2]
    return np.asarray(np.where(np.isfinite(median), median, 0), dtype=np.float32)


def _peer_factors(figures: Figures, values: Array, weight: Array, prior: float) -> Array:
    """How today's figures of the peers compare with what is usual for them, each series left out of its own factor."""
    groups = figures.groups
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    group_values = np.add.reduceat(values, starts, axis=0)
    group_weight = np.add.reduceat(weight, starts, axis=0)
    level_of_group = figures.divisions["level"].to_numpy()[figures.owner[starts]]
    habit = np.ones_like(group_values)
    for level in np.unique(level_of_group):
        mine = level_of_group == level
        habit[mine] = _habit(group_values[mine], group_weight[mine], figures.day_kinds, prior)
    others, usual = group_values[groups] - values, group_weight[groups] - weight
    return np.asarray((others + prior * habit[groups]) / (usual + prior), dtype=np.float32)


def _habit(values: Array, weight: Array, kinds: Array, prior: float) -> Array:
    """Of each day, the middle of the factors of a level's cells that have enough counts; where fewer than five have,
    the middle of the earlier days of that kind."""
    is_enough = weight >= prior
    ratio = np.where(is_enough, values / np.maximum(weight, 1e-6), np.inf)
    count = is_enough.sum(axis=0)
    ordered = np.sort(ratio, axis=0)
    middle = ordered[np.maximum(count - 1, 0) // 2, np.arange(len(kinds))]
    habit = np.ones(len(kinds))
    for kind in np.unique(kinds):
        known = np.flatnonzero((kinds == kind) & (count >= 5))
        past = known[known < len(kinds) - 1]
        habit[kinds == kind] = np.median(middle[past]) if len(past) else 1.0
        habit[known] = middle[known]
    return habit


def _own_factors(values: Array, usual: Array, kinds: Array) -> Array:
    factors = np.ones((len(values), HOLIDAY + 1), dtype=np.float32)
    for kind in np.unique(kinds):
        past = np.flatnonzero(kinds[:-1] == kind)
        counted, expected = values[:, past].sum(axis=1), usual[:, past].sum(axis=1)
        factors[:, kind] = (counted + OWN_KIND_WEIGHT) / (expected + OWN_KIND_WEIGHT)
    return factors


def _dispersion(figures: Figures, values: Array, expected: Array) -> Array:
    """Moment estimate from the days before, drawn towards that of the peers."""
    past, usual = values[:, :-1], expected[:, :-1]
    excess = ((past - usual) ** 2 - usual).sum(axis=1, dtype=np.float64)
    square = (usual**2).sum(axis=1, dtype=np.float64)
    groups = figures.groups
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    of_group = np.add.reduceat(excess, starts) / np.maximum(np.add.reduceat(square, starts), 1e-9)
    prior = DISPERSION_WEIGHT * square / max(usual.shape[1], 1)
    pooled = np.maximum(of_group, LEAST_DISPERSION)[groups]
    own = (excess + prior * pooled) / np.maximum(square + prior, 1e-9)
    return np.asarray(np.maximum(own, LEAST_DISPERSION))


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


def _spread(past: Array, expected: Array, is_large: Array) -> tuple[Array, Array]:
    centre, spread = np.zeros(len(past)), np.ones(len(past))
    if is_large.any():
        logs = np.log((past[is_large] + 0.5) / (expected[is_large, :-1] + 0.5))
        middle = np.nanmedian(logs, axis=1)
        deviation = 1.4826 * np.nanmedian(np.abs(logs - middle[:, None]), axis=1)
        today = expected[is_large, -1]
        by_chance = np.sqrt(1 / np.maximum(today, 1) + LEAST_SPREAD**2)
        centre[is_large] = np.log(today + 0.5) + middle
        spread[is_large] = np.maximum(deviation, by_chance)
    return centre, spread
