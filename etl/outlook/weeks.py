"""Weeks: weekly totals of counties from daily ones, with holidays, shifted workdays and missing days taken out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from etl.plausibility.history import HOLIDAY, SHIFTED, Array

WEEK = 7
YEAR = 52
OWN_KIND_COUNT = 20.0
"""Counts that a county needs on one kind of day before its own habit outweighs that of all counties."""
AROUND_WEEKS = 9
"""Weeks that a day is compared with to learn what its kind does."""
LEAST_KNOWN = 0.5
"""Share of a week's work that the known days must be, or the week is missing."""
LEAST_WORK = 0.25
"""Of an ordinary week: a week with less, such as the Spring Festival's, says nothing about the level."""


@dataclass(frozen=True)
class Weeks:
    """One measure by county and week; the last weeks are those to come.

    total: counts as reported, NaN unless all days are known. level: counts of a week of seven ordinary days, NaN where
    too little is known or worked. work: of each week, how many sevenths of an ordinary week it is.
    """

    total: Array
    level: Array
    work: Array


def count_weeks(values: Array, kinds: Array, horizon: int, fitted: int) -> Weeks:
    """Weeks of daily counts. values: by county and day from a Monday on, NaN where the day is not known; kinds: of
    these days and those of so many weeks to come; fitted: days from which the kinds of day are learnt."""
    factors = _kind_factors(values[:, :fitted], kinds[:fitted])[:, kinds]
    work = factors.reshape(len(values), -1, WEEK).sum(axis=2) / WEEK
    is_known = ~np.isnan(values)
    counted = np.nan_to_num(values).reshape(len(values), -1, WEEK).sum(axis=2)
    done = (factors[:, : values.shape[1]] * is_known).reshape(len(values), -1, WEEK).sum(axis=2) / WEEK
    past = work[:, : work.shape[1] - horizon]
    is_whole = is_known.reshape(len(values), -1, WEEK).all(axis=2)
    is_telling = done >= np.maximum(LEAST_KNOWN * past, LEAST_WORK)
    level = np.where(is_telling, counted / np.maximum(done, 1e-9), np.nan)
    return Weeks(np.where(is_whole, counted, np.nan), level, work)


def season(weeks: Weeks, needed: int) -> Array:
    """Of each week, what all counties together counted in the same week a year before, beside their mean (of a week
    that says nothing, as the one before it); NaN in the first year stored. All 1 where fewer weeks than needed are
    stored after that year: then no season is known."""
    past = weeks.level.shape[1]
    factors = np.ones(weeks.work.shape[1])
    is_known = ~np.isnan(weeks.level)
    mean = np.nan_to_num(weeks.level).sum(axis=1) / np.maximum(is_known.sum(axis=1), 1)
    usual = (mean[:, None] * is_known).sum(axis=0)
    stored = np.flatnonzero(usual > 0)
    if not len(stored) or past - stored[0] < YEAR + needed:
        return factors
    pooled = np.nan_to_num(weeks.level).sum(axis=0) / np.maximum(usual, 1e-9)
    told = np.maximum.accumulate(np.where(pooled > 0, np.arange(past), stored[0]))
    factors[YEAR:] = pooled[told][: len(factors) - YEAR]
    factors[: stored[0] + YEAR] = np.nan
    return factors


def _kind_factors(values: Array, kinds: Array) -> Array:
    """How each county's counts of each kind of day differ from the days around them, drawn towards all counties'."""
    is_known = ~np.isnan(values)
    counts = np.nan_to_num(values)
    around = _moving_sum(counts) / np.maximum(_moving_sum(is_known), 1) * is_known
    factors = np.full((len(values), HOLIDAY + 1), np.nan)
    for kind in range(HOLIDAY + 1):
        on = kinds == kind
        counted, usual = counts[:, on].sum(axis=1), around[:, on].sum(axis=1)
        if usual.sum() > 0:
            pooled = counted.sum() / usual.sum()
            factors[:, kind] = pooled * (counted + OWN_KIND_COUNT) / (pooled * usual + OWN_KIND_COUNT)
    workday = np.nan_to_num(factors[:, :5], nan=1.0).mean(axis=1)
    for kind, substitute in ((SHIFTED, workday), (HOLIDAY, factors[:, 6])):
        factors[:, kind] = np.where(np.isnan(factors[:, kind]), substitute, factors[:, kind])
    return np.asarray(np.nan_to_num(factors, nan=1.0))


def _moving_sum(values: Array) -> Array:
    """Sums over the days around each one, fewer at both ends."""
    half = AROUND_WEEKS * WEEK // 2
    summed = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    days = np.arange(values.shape[1])
    return np.asarray(
        summed[:, np.minimum(days + half + 1, len(days))] - summed[:, np.maximum(days - half, 0)]
    )
