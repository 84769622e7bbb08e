"""Missing: what reports that have not come would say, as far as the history of those who owe them tells.

The expected count of a unit's day is its own usual count, times how days of that kind differ for its peers (Monday to
Sunday, shifted workday, holiday), times how that day has been for those peers that reported. A day that nobody has
reported yet takes what the recent days have been. Villages are counted together by township: one village's days are
nearly all zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from etl.catalog.early_sight import Estimate
from etl.plausibility.history import HOLIDAY, SHIFTED, Array

SATURDAY, SUNDAY = 5, 6
OWN_COUNT = 1.0
"""Counts that the peers' usual figure stands for in a unit's own."""
DISPERSION_WEIGHT = 30.0
"""Days of a unit that its peers' dispersion counts for."""
DAY_COUNT = 5.0
"""Counts that a day's reports need before that day's movement outweighs that of the recent days."""
WEEK = 7


@dataclass(frozen=True)
class Tally:
    """What a history and a period hold, by stratum and day. A stratum is a unit, or the villages of one township.

    kinds: of each day, as etl.plausibility.history.day_kinds. group: of each stratum, the number of its group of
    peers. sent: accepted reports. missing: reports that are expected and have not come; on a day that is not rolled
    up, all that are expected. values: counts in these reports, by stratum, day and measure. is_asked: days of the
    period.
    """

    kinds: Array
    group: Array
    sent: Array
    missing: Array
    values: Array
    is_asked: Array


@dataclass(frozen=True)
class Expected:
    """What is missing in the period, by stratum and measure.

    late, ahead: mean of the missing counts of days on which others reported, and of days without any report.
    variance: of both together, as far as it is the stratum's own. shared: by group of peers and measure, the relative
    variance that late counts have in common, as the peers' movement of a day is known by so many reports only. drift:
    by measure, the relative variance that counts ahead have in common. unknown: by stratum, missing reports of strata
    with too little history.
    """

    late: Array
    ahead: Array
    variance: Array
    shared: Array
    drift: Array
    unknown: Array


@dataclass(frozen=True)
class Sum:
    """The missing counts of divisions, by division and measure, with the limits of their interval."""

    mean: Array
    lower: Array
    upper: Array


def expect_missing(tally: Tally, rule: Estimate) -> Expected:
    """Expected counts of the missing reports of the period. Deterministic; raises nothing."""
    strata, _, measures = tally.values.shape
    missing = tally.missing * tally.is_asked
    is_open = tally.sent.sum(axis=0) == 0
    late, ahead, variance = (np.zeros((strata, measures)) for _ in range(3))
    shared = np.zeros((int(tally.group.max(initial=0)) + 1, measures))
    drift = np.zeros(measures)
    for measure in range(measures):
        values = tally.values[:, :, measure].astype(np.float64)
        usual, by_chance, drift[measure] = _usual(tally, values, rule)
        sent = tally.sent * usual
        dispersion = _dispersion(values, sent, tally.group)
        awaited = missing * usual
        late[:, measure] = awaited[:, ~is_open].sum(axis=1)
        ahead[:, measure] = awaited[:, is_open].sum(axis=1)
        error = by_chance + dispersion * (sent**2).sum(axis=1) / np.maximum(sent.sum(axis=1) ** 2, 1e-9)
        spread = (awaited + dispersion[:, None] * awaited**2).sum(axis=1)
        variance[:, measure] = spread + error * awaited.sum(axis=1) ** 2
        noise = _by_group(sent + dispersion[:, None] * sent**2, tally.group)
        noise /= np.maximum(_by_group(sent, tally.group), DAY_COUNT) ** 2
        weight = _by_group(awaited * ~is_open, tally.group)
        shared[:, measure] = (weight**2 * noise).sum(axis=1) / np.maximum(weight.sum(axis=1) ** 2, 1e-9)
    is_new = (tally.sent > 0).sum(axis=1) < rule.fewest_days
    return Expected(late, ahead, variance, shared, drift, np.where(is_new, missing.sum(axis=1), 0))


def sum_up(expected: Expected, group: Array, below: Array, divisions: int, probability: float) -> Sum:
    """The sums over the strata of each division. below: pairs of stratum and division, by column.

    Limits are those of a negative binomial of that mean and variance, of a Poisson where chance alone is left.
    """
    stratum, division = below

    def total(parts: Array) -> Array:
        summed = np.zeros((divisions, parts.shape[1]))
        np.add.at(summed, division, parts[stratum])
        return summed

    ahead, late = total(expected.ahead), total(expected.late)
    variance = total(expected.variance) + ahead**2 * expected.drift
    for number, shared in enumerate(expected.shared):
        variance += total(expected.late * (group == number)[:, None]) ** 2 * shared
    mean = late + ahead
    return Sum(mean, *_limits(mean, np.maximum(variance, mean), (1 - probability) / 2))


def _limits(mean: Array, variance: Array, tail: float) -> tuple[Array, Array]:
    some = np.maximum(mean, 1e-9)
    size = some**2 / np.maximum(variance - some, 1e-9)
    is_wide = variance > some * (1 + 1e-6)
    lower, upper = (
        np.where(is_wide, stats.nbinom.ppf(part, size, size / (size + some)), stats.poisson.ppf(part, some))
        for part in (tail, 1 - tail)
    )
    return np.where(mean > 0, lower, 0), np.where(mean > 0, upper, 0)


def _usual(tally: Tally, values: Array, rule: Estimate) -> tuple[Array, Array, float]:
    """Expected count of one report by stratum and day; relative variance of each stratum's own usual count by chance;
    relative variance of the weeks beside the four before them."""
    group, sent = tally.group, tally.sent
    count, reports = _by_group(values, group), sent.sum(axis=1)
    peers = count.sum(axis=1) / np.maximum(_by_group(reports[:, None], group)[:, 0], 1e-9)
    prior = np.where(peers > 0, OWN_COUNT / np.maximum(peers, 1e-9), 0)[group]
    own = values.sum(axis=1) + OWN_COUNT * (prior > 0)

    def share(shape: Array) -> Array:
        """The stratum's own usual count, where a day counts as much as its shape."""
        return np.asarray(own / np.maximum((sent * shape[group]).sum(axis=1) + prior, 1e-9))

    every_day = np.ones_like(count)
    mean = share(every_day)
    kind = _kind_factors(count, _by_group(sent * mean[:, None], group), tally.kinds)[:, tally.kinds]
    mean = share(kind)
    expected = _by_group(sent * mean[:, None], group) * kind
    day = _day_factors(count, expected, rule.recent_days)
    drift = _drift(count.sum(axis=0), expected.sum(axis=0))
    shape = kind * day
    return share(shape)[:, None] * shape[group], 1 / np.maximum(own, 1), drift


def _by_group(values: Array, group: Array) -> Array:
    summed = np.zeros((int(group.max(initial=0)) + 1, values.shape[1]))
    np.add.at(summed, group, values)
    return summed


def _kind_factors(count: Array, usual: Array, kinds: Array) -> Array:
    """How the peers' counts of each kind of day differ from usual ones; of a kind never seen, as Sunday's for a
    holiday, as any workday's for a shifted one."""
    factors = np.full((len(count), HOLIDAY + 1), np.nan)
    for kind in range(HOLIDAY + 1):
        counted, expected = count[:, kinds == kind].sum(axis=1), usual[:, kinds == kind].sum(axis=1)
        factors[expected > 0, kind] = counted[expected > 0] / expected[expected > 0]
    workday = np.nan_to_num(factors[:, :SATURDAY], nan=1.0).mean(axis=1)
    for kind, substitute in ((SHIFTED, workday), (HOLIDAY, factors[:, SUNDAY])):
        factors[:, kind] = np.where(np.isnan(factors[:, kind]), substitute, factors[:, kind])
    return np.asarray(np.nan_to_num(factors, nan=1.0))


def _day_factors(count: Array, expected: Array, recent_days: int) -> Array:
    """How each day has been for the peers, drawn towards how the recent days have been."""
    factors = np.ones_like(count)
    for group in range(len(count)):
        reported = np.flatnonzero(expected[group] > 0)
        recent = reported[-recent_days:]
        level = count[group, recent].sum() / max(expected[group, recent].sum(), 1e-9) if len(recent) else 1.0
        factors[group] = (count[group] + DAY_COUNT * level) / (expected[group] + DAY_COUNT)
    return factors


def _drift(count: Array, expected: Array) -> float:
    """Mean squared relative distance of a week from the four weeks before it; 0 with less than five weeks."""
    weeks = len(count) // WEEK
    counted, usual = (
        part[len(part) - weeks * WEEK :].reshape(weeks, WEEK).sum(axis=1) for part in (count, expected)
    )
    distances = []
    for week in range(4, weeks):
        before = counted[week - 4 : week].sum() / max(usual[week - 4 : week].sum(), 1e-9)
        if usual[week] > 0 and before > 0:
            distances.append(counted[week] / usual[week] / before - 1)
    return float(np.mean(np.square(distances))) if distances else 0.0


def _dispersion(values: Array, usual: Array, group: Array) -> Array:
    """Variance beyond chance as a share of the expected count squared, drawn towards that of the peers; at least 0."""
    excess = ((values - usual) ** 2 - usual).sum(axis=1)
    square = (usual**2).sum(axis=1)
    pooled = np.maximum(
        _by_group(excess[:, None], group) / np.maximum(_by_group(square[:, None], group), 1e-9), 0
    )[group, 0]
    prior = DISPERSION_WEIGHT * square / max(usual.shape[1], 1)
    return np.asarray(np.maximum((excess + prior * pooled) / np.maximum(square + prior, 1e-9), 0))
