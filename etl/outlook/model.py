"""Model: a county's weekly level followed through chance, ahead for some weeks, and measured beside the naive way.

The level is a random walk seen through noise, with a steady drift where that fits better (statsmodels,
UnobservedComponents), on square roots, where counts vary alike whatever their size. Weeks without figures are missing
to it. The parameters are learnt from the weeks before the first origin and kept: every error measured is one of a
forecast that knew nothing of its weeks.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats
from statsmodels.tools.sm_exceptions import ConvergenceWarning
from statsmodels.tsa.statespace.structural import UnobservedComponents

from etl.catalog.early_sight import Forecast
from etl.outlook.weeks import YEAR, Weeks, season
from etl.plausibility.history import Array

TREND_BURN = 2
"""Weeks that fix where level and drift begin; left out of what the models are compared by."""


@dataclass(frozen=True)
class Outlook:
    """One county's measure. model_error, naive_error: mean absolute errors over `pairs` of origin and week ahead, in
    the measure's unit of count; NaN where no forecast could be made. value, lower, upper: of the weeks to come.
    observed, expected, limit: the last week, what was forecast of it the week before, and what it stays below with
    the declared probability; NaN where it is not whole."""

    model_error: float
    naive_error: float
    pairs: int
    value: Array
    lower: Array
    upper: Array
    observed: float
    expected: float
    limit: float


def forecast_series(weeks: Weeks, rule: Forecast) -> list[Outlook | None]:
    """The outlook of each county of a measure; None where its history is too short. Deterministic."""
    factors = season(weeks, rule.fewest_weeks + rule.origins + rule.horizon_weeks - 1)
    return [_forecast_one(weeks, county, factors, rule) for county in range(len(weeks.level))]


def _forecast_one(weeks: Weeks, county: int, factors: Array, rule: Forecast) -> Outlook | None:
    past = weeks.level.shape[1]
    first = past - rule.origins - rule.horizon_weeks + 1
    roots = np.sqrt(weeks.level[county] / factors[:past])
    if np.isfinite(roots[:first]).sum() < rule.fewest_weeks or not np.nansum(roots[:first]) > 0:
        return None
    follow = _Follower(roots, first)
    scale = weeks.work[county] * factors
    total, level = weeks.total[county], weeks.level[county]
    errors, naive, yearly, standardised = [], [], [], []
    for origin in range(first, past - rule.horizon_weeks + 1):
        mean, deviation = follow.ahead(origin, scale[origin : origin + rule.horizon_weeks])
        known = level[:origin][np.isfinite(level[:origin])]
        for step, week in enumerate(range(origin, origin + rule.horizon_weeks)):
            if not np.isfinite(total[week]):
                continue
            errors.append(abs(mean[step] ** 2 * scale[week] - total[week]))
            naive.append(abs(known[-1] * weeks.work[county, week] - total[week]))
            before = level[week - YEAR] if week >= YEAR and np.isfinite(level[week - YEAR]) else known[-1]
            yearly.append(abs(before * weeks.work[county, week] - total[week]))
            standardised.append((np.sqrt(total[week] / scale[week]) - mean[step]) / deviation[step])
    if not errors:
        return None
    # Where the intervals have been too narrow, they are widened by as much.
    widen = max(1.0, float(np.sqrt(np.mean(np.square(standardised)))))
    coming = scale[past:]
    mean, deviation = follow.ahead(past, coming)
    margin = stats.norm.ppf((1 + rule.probability) / 2) * widen * deviation
    before, chance = follow.ahead(past - 1, scale[past - 1 : past])
    limit = before[0] + stats.norm.ppf(rule.rise_probability) * widen * chance[0]
    return Outlook(
        float(np.mean(errors)), float(min(np.mean(naive), np.mean(yearly))), len(errors), mean**2 * coming,
        np.floor(np.maximum(mean - margin, 0) ** 2 * coming), np.ceil((mean + margin) ** 2 * coming),
        float(total[-1]), float(before[0] ** 2 * scale[past - 1]), float(limit**2 * scale[past - 1]),
    )  # fmt: skip


class _Follower:
    """A model fitted to the weeks before the first origin and led through all of them."""

    def __init__(self, roots: Array, first: int) -> None:
        start = int(np.flatnonzero(np.isfinite(roots))[0])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.filterwarnings("ignore", "invalid value|divide by zero|overflow", RuntimeWarning)
            fitted = [
                UnobservedComponents(roots[start:first], level, loglikelihood_burn=TREND_BURN).fit(
                    disp=0, cov_type="none"
                )
                for level in ("llevel", "lldtrend")
            ]
            self._results: Any = min(fitted, key=lambda each: each.aic).apply(roots[start:])
        self._start = start

    def ahead(self, origin: int, scale: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of the weeks from the origin on, as known from those before it. scale: of each of
        them, how many usual weeks it is; a short one has more chance in it: a root of a count varies by 1/4."""
        system, place = self._results.model.ssm, origin - self._start
        state = self._results.predicted_state[:, place]
        cov = self._results.predicted_state_cov[:, :, place]
        design, move = system["design"][0], system["transition"]
        shock = system["selection"] @ system["state_cov"] @ system["selection"].T
        means, deviations = [], []
        for usual in scale:
            short = max(1 / max(usual, 1e-9) - 1, 0) / 4
            variance = design @ cov @ design + system["obs_cov"][0, 0] + short
            means.append(max(float(design @ state), 0.0))
            deviations.append(float(np.sqrt(max(variance, 1e-9))))
            state, cov = move @ state, move @ cov @ move.T + shock
        return np.array(means), np.array(deviations)
