"""Circulation: how values on the edges of a graph may change while everything stays in balance at every
vertex."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

Ints = npt.NDArray[np.int64]
SEED = 1
"""The same graph gives the same answer."""


def components(start: Ints, end: Ints, count: int) -> Ints:
    """Number of the connected component of each of `count` vertices; edge i joins start[i] and end[i]."""
    graph = coo_array((np.ones(len(start), dtype=np.int32), (start, end)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def random_circulation(start: Ints, end: Ints, count: int) -> Ints:
    """A change of every edge, counted from start to end, that leaves each vertex in balance, drawn at random.

    A sum of edges that no circulation changes is 0 in this one, and another one is not, but for one chance in
    2 to the 40th. Edges outside a spanning tree are drawn, those of the tree follow from the leaves up.
    """
    if not len(start):
        return np.zeros(0, dtype=np.int64)
    roots = np.unique(components(start, end, count), return_index=True)[1]
    sides = np.concatenate([start, np.full(len(roots), count)]), np.concatenate([end, roots])
    graph = coo_array((np.ones(len(sides[0]), dtype=np.int32), sides), shape=(count + 1, count + 1))
    order, above = breadth_first_order(graph.tocsr(), count, directed=False)
    pairs, first = np.unique(np.minimum(start, end) * (count + 1) + np.maximum(start, end), return_index=True)
    below = order[(order != count) & (above[order] != count)].astype(np.int64)
    over = above[below].astype(np.int64)
    upward = first[np.searchsorted(pairs, np.minimum(below, over) * (count + 1) + np.maximum(below, over))]
    change = np.random.default_rng(SEED).integers(1, 2**40, size=len(start))
    change[upward] = 0
    balance = np.zeros(count + 1, dtype=np.int64)
    np.add.at(balance, end, change)
    np.subtract.at(balance, start, change)
    through, parents = balance.tolist(), above.tolist()
    for vertex in reversed(order.tolist()[1:]):
        through[parents[vertex]] += through[vertex]
    change[upward] = np.array(through, dtype=np.int64)[below] * np.where(start[upward] == below, 1, -1)
    return change
