"""Weighting: what a rate would be if every part had answered as often as it weighs (post-stratification)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from etl.satisfaction.rates import Flags, Floats, Ints


@dataclass(frozen=True)
class Cells:
    """Cells of several groups: of each its group, answers, the satisfied among them, and its weight
    (services, people)."""

    group: Ints
    answered: Floats
    satisfied: Floats
    weight: Floats


@dataclass(frozen=True)
class Weighted:
    """Per group: the rate, 0 to 1, and Kish's effective sample; nan where nothing weighs. collapsed: cells
    put together."""

    rate: Floats
    effective_sample: Floats
    collapsed: Flags


def post_stratify(cells: Cells, groups: int, fewest: int) -> Weighted:
    """Weight each cell's rate by the cell's share of the weight.

    Cells with fewer than `fewest` answers, or without any weight, say too little: a group's are put together,
    and with the smallest of the others if they are still too few. An empty cell thus takes the rate of those
    that it is put together with.
    """
    group, answered, weight = cells.group, cells.answered, cells.weight
    exists = (answered > 0) | (weight > 0)
    collapsed = exists & ((answered < fewest) | (weight <= 0))
    for _ in range(2):
        pool_answered, pool_weight = (
            _pool(group, answered, collapsed, groups),
            _pool(group, weight, collapsed, groups),
        )
        is_thin = (_pool(group, np.ones(len(group)), collapsed, groups) > 0) & (
            (pool_answered < fewest) | (pool_weight <= 0)
        )
        free = np.flatnonzero(exists & ~collapsed & is_thin[group])
        free = free[np.lexsort((free, answered[free], group[free]))]
        collapsed[free[np.unique(group[free], return_index=True)[1]]] = True
    pool = [_pool(group, values, collapsed, groups) for values in (answered, cells.satisfied, weight)]
    apart = exists & ~collapsed
    answered = np.concatenate([answered[apart], pool[0]])
    satisfied = np.concatenate([cells.satisfied[apart], pool[1]])
    weight = np.concatenate([weight[apart], pool[2]])
    group = np.concatenate([group[apart], np.arange(groups)])
    counts = (answered > 0) & (weight > 0)
    answered, satisfied, weight, group = answered[counts], satisfied[counts], weight[counts], group[counts]
    total = np.bincount(group, weight, groups)
    part = weight / total[group]
    with np.errstate(divide="ignore"):
        rate = np.where(total > 0, np.bincount(group, part * satisfied / answered, groups), np.nan)
        effective = np.where(total > 0, 1 / np.bincount(group, part**2 / answered, groups), np.nan)
    return Weighted(rate, effective, collapsed)


def _pool(group: Ints, values: Floats, collapsed: Flags, groups: int) -> Floats:
    return np.asarray(np.bincount(group[collapsed], values[collapsed], groups), dtype=np.float64)
