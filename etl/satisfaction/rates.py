"""Rates: intervals of shares, and the ranks that they leave open."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from statsmodels.stats.proportion import proportion_confint

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def share(part: Floats, whole: Floats) -> Floats:
    """part / whole, 0 to 1; nan where either is missing or the whole is nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole > 0, part / whole, np.nan)


def wilson(rate: Floats, sample: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Wilson's interval of a rate (0 to 1) in a sample, which need not be whole; nan where there is no
    rate."""
    low, high = np.full(rate.shape, np.nan), np.full(rate.shape, np.nan)
    known = ~np.isnan(rate) & (sample > 0)
    if known.any():
        bounds = proportion_confint(
            rate[known] * sample[known], sample[known], alpha=1 - confidence, method="wilson"
        )
        low[known], high[known] = np.clip(bounds, 0, 1)
    return low, high


def open_ranks(group: Ints, rate: Floats, low: Floats, high: Floats) -> tuple[Ints, Ints, Flags]:
    """Best and worst rank that a rate may have in its group, and whether it may be the leader's equal.

    A rate ranks below another one for sure only where their intervals do not meet. The leader has the highest
    rate. Ends that differ by less than a millionth of a millionth meet.
    """
    low, high = np.round(low, 12), np.round(high, 12)
    groups, group = np.unique(group, return_inverse=True)
    size = np.bincount(group, minlength=len(groups))
    first = np.cumsum(size) - size
    # Rates lie between 0 and 1: shifted by 2 for each group, all are sorted at once, and groups stay apart.
    lows, highs = np.sort(2.0 * group + low), np.sort(2.0 * group + high)
    above = first[group] + size[group] - np.searchsorted(lows, 2.0 * group + high, side="right")
    below = np.searchsorted(highs, 2.0 * group + low, side="left") - first[group]
    order = np.lexsort((-low, -rate, group))
    leader = order[np.searchsorted(group[order], np.arange(len(groups)))]
    is_leading = high >= low[leader][group]
    return 1 + above, size[group] - below, is_leading
