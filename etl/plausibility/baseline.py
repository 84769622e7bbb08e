"""Baseline: what each series leads to expect of a day, and how unlikely a figure is beside it.

Counts follow a negative binomial whose dispersion is the series' own, drawn towards its peers'; large counts are judged
by the median and MAD of their logarithms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy import special

from etl.catalog.rules import History
from etl.plausibility.fit import LEAST_DISPERSION, Fit, cap, middle_factor, peer_factors
from etl.plausibility.history import Array, Figures

LEAST_SPREAD = 0.1
"""Of logarithms: a tenth. What varies less is not trusted to go on doing so."""


@dataclass(frozen=True)
class Baseline:
    """expected: by series and day, the last day last. dispersion: of each series (variance = expected + dispersion ×
    expected²). is_ready: series with enough history. is_large, is_lumpy: series judged by logarithms; of these, centre
    is the logarithm that is usual today, and spread their robust standard deviation. A lumpy one is mostly zero: zero
    is never unusual of it. past: each series' counts before today; shared: by level and cell_id, those of all its
    units."""

    expected: Array
    dispersion: Array
    is_ready: Array
    is_large: Array
    is_lumpy: Array
    centre: Array
    spread: Array
    past: Array
    shared: Mapping[str, Array]

    def take(self, series: Array) -> Self:
        """The same for some of the series."""
        lines = {name: values[series] for name, values in vars(self).items() if name != "shared"}
        return replace(self, **lines)

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


def expect(fit: Fit, figures: Figures, rule: History) -> Baseline:
    """What a fit leads to expect of these figures: of the days before, as it was fitted; of the last day, by how busy
    that day is for the peers."""
    values = np.nan_to_num(figures.values[:, -1:])
    weight = fit.weight[:, None] * ~np.isnan(figures.values[:, -1:])
    usual_of = dict(zip(fit.levels.tolist(), fit.habit.tolist(), strict=True))

    def habit(level: str, sums: Array, weights: Array) -> Array:
        middle, is_known = middle_factor(sums, weights, rule.peers)
        return np.where(is_known, middle, usual_of.get(level, 1.0))

    peers = peer_factors(figures, values, cap(values, fit.typical), weight, rule.peers, habit)
    today = fit.mean * peers[:, 0]
    is_large = ~fit.is_lumpy & fit.has_past & (today >= rule.large_from)
    by_chance = np.sqrt(1 / np.maximum(today, 1) + LEAST_SPREAD**2)
    return Baseline(
        expected=np.column_stack([fit.expected, today]),
        dispersion=np.maximum(fit.dispersion, LEAST_DISPERSION).astype(np.float64),
        is_ready=fit.is_ready,
        is_large=is_large,
        is_lumpy=fit.is_lumpy,
        centre=np.where(is_large, np.log(today + 0.5) + fit.centre, fit.centre),
        spread=np.where(is_large, np.maximum(fit.spread, by_chance), np.where(fit.is_lumpy, fit.spread, 1)),
        past=fit.past,
        shared=dict(zip(fit.levels.tolist(), fit.shared, strict=True)),
    )
