"""Suppression: which figures stay hidden so that no small sample can be worked out from those that are shown.

A sample below the smallest one shown is hidden, and with it as much else as keeps it from being derived: from
siblings and parent, from channels and their total, from months, quarters and the year (domain.md section 5,
ruling 18). Why this is enough is argued in docs/satisfaction.md; tests attack it with linear algebra.

Everything is decided twice: for totals over channels, and for channels, where hidden means that a division
shows its total alone. A parent's figures are its own unit's, which are never shown, plus those of the
divisions below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from etl.satisfaction.circulation import Ints, components, random_circulation

Flags = npt.NDArray[np.bool_]
NOTHING, TOTAL, CHANNELS = 0, 1, 2
"""What is shown of a division: nothing, its total over channels, each channel too."""


@dataclass(frozen=True)
class Answers:
    """Answers of one period by division and channel, and the divisions as they stood then.

    All periods of a year share one numbering of divisions, in the order of their codes. parent: number of the
    division above, -1 where there is none.
    """

    parent: Ints
    counts: Ints


@dataclass(frozen=True)
class _Slice:
    """What is hidden in one period, looked at alone.

    rest: answers of each parent's own unit. carrier: of a hidden parent whose own unit has none, the hidden
    division below it with the fewest answers; -1 otherwise.
    """

    parent: Ints
    counts: Ints
    hidden: Flags
    rest: Ints
    carrier: Ints

    @property
    def own(self) -> Flags:
        return np.asarray((self.rest != 0).any(axis=1))


def detail_alone(answers: Answers, fewest: int) -> Ints:
    """What is shown of each division in a period that is not made of others: NOTHING, TOTAL or CHANNELS."""
    totals = _alone(answers, fewest, None).hidden
    return _detail(totals, _alone(answers, fewest, totals).hidden)


def detail_of_sum(pieces: Sequence[Ints]) -> Ints:
    """What is shown of a period that may tell nothing new: no more than of any of the pieces that it is the
    sum of."""
    return np.asarray(np.minimum.reduce(list(pieces)))


def detail_over_time(months: Sequence[Answers], quarters: Sequence[Sequence[int]], fewest: int) -> Ints:
    """What is shown of each division in a quarter or year of these months, each of which is shown by
    `detail_alone`.

    quarters: places of the months in `months` by quarter; of a year with several, each quarter is shown by
    this function.
    """
    totals = [_alone(month, fewest, None) for month in months]
    channels = [_alone(month, fewest, each.hidden) for month, each in zip(months, totals, strict=True)]
    hidden: list[Flags] = []
    by_quarter: list[list[Flags]] = []
    for layer in (totals, channels):
        forced = by_quarter[0] if by_quarter else [None] * len(quarters)
        found = [
            _Graph([layer[month] for month in quarter], None, fewest, force).hidden
            for quarter, force in zip(quarters, forced, strict=True)
        ]
        by_quarter.append(found)
        if len(quarters) == 1:
            hidden.append(found[0])
        else:
            place = [number for number, quarter in enumerate(quarters) for _ in quarter]
            ordered = [layer[month] for quarter in quarters for month in quarter]
            force = hidden[0] if hidden else None
            hidden.append(_Graph(ordered, (place, found), fewest, force).hidden)
    return _detail(*hidden)


def _detail(totals: Flags, channels: Flags) -> Ints:
    return np.where(totals, NOTHING, np.where(channels, TOTAL, CHANNELS)).astype(np.int64)


def _is_small(counts: Ints, fewest: int, forced: Flags | None) -> Flags:
    """Samples too small to be shown: totals; or, once it is known whose total is hidden, any channel, and all
    of those."""
    total = counts.sum(axis=1)
    if forced is None:
        return np.asarray((total > 0) & (total < fewest))
    return np.asarray(((counts > 0) & (counts < fewest)).any(axis=1) | forced)


def _alone(answers: Answers, fewest: int, forced: Flags | None) -> _Slice:
    """From the top down: below a parent that is shown, what is hidden is hidden among others; a hidden parent
    has something hidden below it. What is hidden in addition is the sibling with the fewest answers, the
    lowest code among equals."""
    parent, counts = answers.parent, answers.counts
    size, total = len(parent), counts.sum(axis=1)
    members = np.flatnonzero(parent >= 0)
    below = np.zeros_like(counts)
    np.add.at(below, parent[members], counts[members])
    is_parent = np.bincount(parent[members], minlength=size) > 0
    rest = np.where(is_parent[:, None], counts - below, 0)
    own = (rest != 0).any(axis=1)
    small_own = own & _is_small(rest, fewest, None if forced is None else np.zeros(size, dtype=bool))
    hidden = _is_small(counts, fewest, forced)
    in_order = members[np.argsort(total[members], kind="stable")]
    in_order = in_order[total[in_order] > 0]
    for level in _by_depth(parent, in_order):
        while True:
            among = parent[level[hidden[level]]]
            beside = np.bincount(among, minlength=size)
            is_thin = beside + own < 2
            if forced is None:
                answers_hidden = np.bincount(among, weights=total[level[hidden[level]]], minlength=size)
                is_thin |= answers_hidden + np.abs(rest).sum(axis=1) < fewest
            is_wanting = np.where(hidden, beside + own == 0, ((beside > 0) | small_own) & is_thin)
            free = level[~hidden[level] & is_wanting[parent[level]]]
            if not len(free):
                break
            hidden[free[np.unique(parent[free], return_index=True)[1]]] = True
    carrier = np.full(size, -1, dtype=np.int64)
    carried = in_order[hidden[in_order] & hidden[parent[in_order]] & ~own[parent[in_order]]][::-1]
    carrier[parent[carried]] = (
        carried  # of several with one parent the last stays, which has the fewest answers
    )
    return _Slice(parent, counts, hidden, rest, carrier)


def _by_depth(parent: Ints, members: Ints) -> list[Ints]:
    """The members, in their order, by how many divisions stand above them, fewest first."""
    depth, above = np.zeros(len(parent), dtype=np.int64), parent
    while (above >= 0).any():
        depth += above >= 0
        above = np.where(above >= 0, parent[above], -1)
    return [members[depth[members] == each] for each in range(1, int(depth.max(initial=0)) + 1)]


class _Graph:
    """Hidden figures as edges between the equations they stand in: a month's siblings sum to their parent, a
    division's months to its quarter, its quarters to its year. Vertex 0 stands for all that has no equation.

    What may change in a circulation cannot be worked out. Where a small sample could not change, its division
    and one that is hidden beside it are hidden in the longer period too, and if that is not enough, all that
    hang together with it.
    """

    def __init__(
        self,
        slices: Sequence[_Slice],
        quarters: tuple[Sequence[int], Sequence[Flags]] | None,
        fewest: int,
        forced: Flags | None,
    ) -> None:
        """quarters: of a year, the quarter of each month and what is hidden in each quarter."""
        self.slices, self.size = slices, len(slices[0].hidden)
        place = quarters[0] if quarters is not None else [0] * len(slices)
        self.counts = np.sum([each.counts for each in slices], axis=0)
        none = None if forced is None else np.zeros(self.size, dtype=bool)
        self.small = _small_sums(slices, place, fewest, none)
        self.small_own = [_is_small(np.abs(each.rest), fewest, none) for each in slices]
        self.hidden = _is_small(self.counts, fewest, forced)
        self._add_months(place)
        first = 1 + len(slices) * self.size
        self.foot = first + self.quarter * self.size + self.member
        self.whole, self.between = first, np.zeros((0, 2), dtype=np.int64)
        self.is_open = np.ones(len(self.member), dtype=bool)
        if quarters is not None:
            found = np.array(quarters[1])
            self.whole = first + len(found) * self.size
            number, member = np.nonzero(found)
            self.between = np.column_stack([first + number * self.size + member, self.whole + member])
            self.is_open = found[self.quarter, self.member]
        for each in slices:
            self.hidden[each.carrier[each.carrier >= 0]] = True
        if forced is not None:
            self.hidden |= _known_by_a_nothing(slices, self.counts)
        while self._mend():
            pass

    def _add_months(self, place: Sequence[int]) -> None:
        """Of each hidden figure of a month: its division, month, quarter, its group's vertex, and whether it
        is what its hidden parent is carried by; and the own units' vertices."""
        members = [np.flatnonzero(each.hidden) for each in self.slices]
        numbers = [np.full(len(each), number) for number, each in enumerate(members)]
        self.member, self.month = np.concatenate(members), np.concatenate(numbers)
        self.quarter = np.asarray(place, dtype=np.int64)[self.month]
        self.above = np.array([each.parent for each in self.slices])[self.month, self.member]
        self.column = np.where(self.above >= 0, 1 + self.month * self.size + self.above, 0)
        carriers = np.array([each.carrier for each in self.slices])
        self.is_carried = (self.above >= 0) & (carriers[self.month, self.above] == self.member)
        self.own = np.concatenate(
            [1 + number * self.size + np.flatnonzero(each.own) for number, each in enumerate(self.slices)]
        )
        self.edge = np.full((len(self.slices), self.size), -1, dtype=np.int64)
        self.edge[self.month, self.member] = np.arange(len(self.member))

    def _mend(self) -> bool:
        """Hide more; whether there was something to hide."""
        whole = np.flatnonzero(self.hidden)
        zero = np.zeros(1, dtype=np.int64)
        start = np.concatenate([self.column, self.own, self.between[:, 0], self.whole + whole, zero])
        end = np.concatenate([self.foot, 0 * self.own, self.between[:, 1], 0 * whole, zero])
        names, numbered = np.unique(np.concatenate([start, end]), return_inverse=True)
        start, end = numbered[: len(start)], numbered[len(start) :]
        change = random_circulation(start, end, len(names))
        weak = self._weak(change[: len(self.member)], change[len(self.member) :][: len(self.own)])
        if not len(weak):
            return False
        wanted = self._pairs(weak)
        if self.hidden[wanted].all():
            inner = (start != 0) & (end != 0)
            component = components(start[inner], end[inner], len(names))[end[: len(self.member)]]
            wanted = self.member[self.is_open & np.isin(component, component[weak])]
        is_new = not bool(self.hidden[wanted].all())
        self.hidden[wanted] = True
        return is_new

    def _weak(self, change: Ints, own_change: Ints) -> Ints:
        """Edges of months in small samples that could be worked out, each by the division that carries it."""
        by_month = np.zeros((len(self.slices), self.size), dtype=np.int64)
        by_month[self.month, self.member] = change
        for number, each in enumerate(self.slices):
            carriers = each.carrier[np.flatnonzero(each.carrier >= 0)]
            for level in _by_depth(each.parent, carriers):
                by_month[number, level] += by_month[number, each.parent[level]]
        is_weak = np.zeros(len(self.member), dtype=bool)
        for months, small in self.small:
            found = small & (by_month[months].sum(axis=0) == 0)
            edges = self.edge[months][:, found]
            is_weak[edges[edges >= 0]] = True
        fixed = self.own[own_change == 0] - 1
        fixed = fixed[[bool(self.small_own[at // self.size][at % self.size]) for at in fixed.tolist()]]
        is_weak |= np.isin(self.column - 1, fixed)
        weak = np.flatnonzero(is_weak)
        while self.is_carried[weak].any():
            climbed = self.edge[self.month[weak], self.above[weak]]
            self.hidden[self.member[weak]] = True
            weak = np.unique(np.where(self.is_carried[weak], climbed, weak))
        return weak

    def _pairs(self, weak: Ints) -> Ints:
        """The divisions of the weak edges, and one hidden beside each, unless the parent's own unit has
        answers: one that is hidden in the longer period already, else the one with the fewest answers."""
        total = self.counts.sum(axis=1)[self.member]
        order = np.lexsort((self.member, total, ~self.hidden[self.member], ~self.is_open, self.column))
        order = order[(self.column[order] > 0) & ~np.isin(self.column[order], self.own)]
        column = self.column[order]
        columns, first = np.unique(column, return_index=True)
        partners = []
        for edge in weak[np.isin(self.column[weak], columns)].tolist():
            at = first[np.searchsorted(columns, self.column[edge])]
            beside = [
                e for e in order[at : at + 2].tolist() if e != edge and self.column[e] == self.column[edge]
            ]
            partners += [int(self.member[e]) for e in beside[:1]]
        return np.concatenate([self.member[weak], np.array(partners, dtype=np.int64)])


def _small_sums(
    slices: Sequence[_Slice], place: Sequence[int], fewest: int, none: Flags | None
) -> list[tuple[list[int], Flags]]:
    """What is or could be published and must not be worked out: each month, each quarter, and the first so
    many months of all, with the divisions whose samples are too small then."""
    every = range(len(slices))
    spans = [[n] for n in every] + [[n for n in every if n < last] for last in range(2, len(slices) + 1)]
    spans += [[n for n in every if place[n] == quarter] for quarter in sorted(set(place))]
    unlike = {tuple(span): span for span in spans}.values()
    return [
        (span, _is_small(np.sum([slices[n].counts for n in span], axis=0), fewest, none)) for span in unlike
    ]


def _known_by_a_nothing(slices: Sequence[_Slice], counts: Ints) -> Flags:
    """Divisions whose channels in the longer period would tell, by what is shown to be nothing.

    Those hidden beside answers of a channel in which the longer period would show that they have none; and those
    hidden in months of which one could have answers in a channel and another could not, with all beside them.
    """
    shape = slices[0].counts.shape
    found, ever, always = (
        np.zeros(shape[0], dtype=bool),
        np.zeros(shape, dtype=bool),
        np.ones(shape, dtype=bool),
    )
    for each in slices:
        members, above, beside = _beside(each)
        found[members] |= ((beside[above] > 0) & (counts[members] == 0)).any(axis=1)
        ever[members] |= beside[above] > 0
        always[members] &= beside[above] > 0
    is_mixed = np.asarray((ever & ~always).any(axis=1))
    for each in slices:
        members, above, _ = _beside(each)
        touched = np.zeros(shape[0], dtype=bool)
        touched[above[is_mixed[members]]] = True
        found[members[touched[above]]] = True
    return found


def _beside(each: _Slice) -> tuple[Ints, Ints, Ints]:
    """The hidden divisions with one above them, that one, and all hidden answers by group and channel."""
    members = np.flatnonzero(each.hidden & (each.parent >= 0))
    above = each.parent[members]
    beside = np.abs(each.rest)
    np.add.at(beside, above, each.counts[members])
    return members, above, beside
