"""What is hidden cannot be worked out: an attacker who solves all published equations, on random trees."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import Phase, event, given, settings
from hypothesis import strategies as st

from etl.satisfaction.circulation import random_circulation
from etl.satisfaction.suppress import (
    CHANNELS,
    NOTHING,
    TOTAL,
    Answers,
    detail_alone,
    detail_of_sum,
    detail_over_time,
)

pytestmark = pytest.mark.unit
FEWEST = 5
PHASES = [Phase.explicit, Phase.reuse, Phase.generate]
"""A failing world is small as it is; making it smaller takes minutes."""
Floats = npt.NDArray[np.float64]


def below(parent: Sequence[int]) -> Floats:
    """Which units count for which division: itself and all below it."""
    size = len(parent)
    counts_for = np.eye(size)
    for unit in range(size):
        above = parent[unit]
        while above >= 0:
            counts_for[above, unit] = 1
            above = parent[above]
    return counts_for


class Attacker:
    """Knows every equation, every figure that is shown, that no figure is below nothing, and which units have
    no answers at all."""

    def __init__(self, own: npt.NDArray[np.int64], parent: Sequence[int]) -> None:
        """own: answers by month, unit and channel."""
        self.own, self.tree = own, below(parent)
        self.shown: list[Floats] = []
        self.secrets: dict[tuple[object, ...], Floats] = {}

    def look(self, name: str, months: Sequence[int], detail: npt.NDArray[np.int64]) -> None:
        """Take in what is published of a period, and note which of its figures are small."""
        when = np.zeros(len(self.own))
        when[list(months)] = 1
        for division, level in enumerate(detail):
            whole = np.ones(self.own.shape[2])
            cells = [(whole, "all", TOTAL)] + [
                (each, number, CHANNELS) for number, each in enumerate(np.eye(self.own.shape[2]))
            ]
            total = self._value(self._form(when, division, whole))
            for channels, label, needed in cells:
                form = self._form(when, division, channels)
                value = self._value(form)
                if 0 < value < FEWEST:
                    self.secrets[name, division, label] = form
                    assert level < needed, f"{name}, division {division}, {label}: {value} answers are shown"
                if level >= needed or total == 0:
                    self.shown.append(form)

    def finds(self) -> list[tuple[object, ...]]:
        """Small samples that follow from what is shown."""
        if not self.shown or not self.secrets:
            return []
        shown = np.array(self.shown)
        nothing = shown[shown @ self.own.ravel() == 0].any(axis=0)
        silent = np.broadcast_to(self.own.sum(axis=2, keepdims=True) == 0, self.own.shape).ravel()
        variables = np.flatnonzero(~nothing & ~silent)
        known = shown[:, variables]
        _, values, right = np.linalg.svd(known, full_matrices=True)
        null = right[int((values > 1e-9).sum()) :]
        found = []
        for name, form in self.secrets.items():
            if len(null) == 0 or np.abs(null @ form[variables]).max() < 1e-8:
                found.append(name)
        return found

    def _form(self, when: Floats, division: int, channels: Floats) -> Floats:
        return np.einsum("m,u,c->muc", when, self.tree[division], channels).ravel()

    def _value(self, form: Floats) -> int:
        return int(form @ self.own.ravel())


def rolled_up(own: npt.NDArray[np.int64], parent: Sequence[int]) -> list[Answers]:
    tree = below(parent).astype(np.int64)
    return [Answers(np.array(parent), np.einsum("du,uc->dc", tree, month)) for month in own]


@st.composite
def worlds(draw: st.DrawFn, most_months: int) -> tuple[npt.NDArray[np.int64], list[int]]:
    """A tree of up to four levels, and answers, most of them few."""
    size = draw(st.integers(2, 14))
    parent = [-1]
    depth = [0]
    for number in range(1, size):
        above = draw(st.sampled_from([n for n in range(number) if depth[n] < 3]))
        parent.append(above)
        depth.append(depth[above] + 1)
    months = draw(st.integers(1, most_months))
    figure = st.sampled_from([0, 0, 0, 1, 2, 3, 4, 6, 9, 30])
    seen = draw(st.lists(figure, min_size=months * size * 3, max_size=months * size * 3))
    own = np.array(seen, dtype=np.int64).reshape(months, size, 3)
    if draw(st.booleans()):
        own[:, sorted(set(parent) - {-1})] = 0
    if draw(st.booleans()):
        own[:, :, 1:] = 0
    return own, parent


@settings(max_examples=200, deadline=None, phases=PHASES)
@given(worlds(1))
def test_no_small_sample_follows_from_siblings_parents_and_channels(
    world: tuple[npt.NDArray[np.int64], list[int]],
) -> None:
    own, parent = world
    (month,) = rolled_up(own, parent)
    attacker = Attacker(own, parent)
    attacker.look("month", [0], detail_alone(month, FEWEST))
    event("secrets" if attacker.secrets else "nothing to hide")
    assert attacker.finds() == []


@settings(max_examples=200, deadline=None, phases=PHASES)
@given(worlds(3))
def test_no_small_sample_follows_from_months_and_their_quarter(
    world: tuple[npt.NDArray[np.int64], list[int]],
) -> None:
    own, parent = world
    months = rolled_up(own, parent)
    attacker = Attacker(own, parent)
    for number, month in enumerate(months):
        attacker.look(f"month {number}", [number], detail_alone(month, FEWEST))
    everything = range(len(months))
    attacker.look("quarter", everything, detail_over_time(months, [everything], FEWEST))
    assert attacker.finds() == []


@settings(max_examples=80, deadline=None, phases=PHASES)
@given(worlds(7))
def test_no_small_sample_follows_from_months_quarters_year_and_year_to_date(
    world: tuple[npt.NDArray[np.int64], list[int]],
) -> None:
    own, parent = world
    months = rolled_up(own, parent)
    quarters = [list(range(first, min(first + 3, len(months)))) for first in range(0, len(months), 3)]
    attacker = Attacker(own, parent)
    details = [detail_alone(month, FEWEST) for month in months]
    for number, detail in enumerate(details):
        attacker.look(f"month {number}", [number], detail)
    by_quarter = [
        detail_over_time([months[m] for m in quarter], [range(len(quarter))], FEWEST) for quarter in quarters
    ]
    for number, quarter in enumerate(quarters):
        attacker.look(f"quarter {number}", quarter, by_quarter[number])
    for last in range(len(months)):
        whole = [n for n, quarter in enumerate(quarters) if quarter[-1] <= last]
        single = [m for m in range(last + 1) if not any(m in quarters[n] for n in whole)]
        detail = detail_of_sum([by_quarter[n] for n in whole] + [details[m] for m in single])
        attacker.look(f"to {last}", range(last + 1), detail)
    attacker.look("year", range(len(months)), detail_over_time(months, quarters, FEWEST))
    assert attacker.finds() == []


def test_the_attacker_finds_what_is_hidden_alone() -> None:
    own = np.array([[[0], [3], [20], [30]]])
    attacker = Attacker(own, [-1, 0, 0, 0])
    attacker.look("month", [0], np.array([CHANNELS, NOTHING, CHANNELS, CHANNELS]))
    assert set(attacker.finds()) == {("month", 1, "all"), ("month", 1, 0)}


def test_the_sibling_with_the_fewest_answers_is_hidden_beside_a_small_one() -> None:
    counts = np.array([[61, 0], [3, 0], [30, 0], [8, 0], [20, 0], [0, 0]])
    detail = detail_alone(Answers(np.array([-1, 0, 0, 0, 0, 0]), counts), FEWEST)
    assert detail.tolist() == [CHANNELS, NOTHING, CHANNELS, NOTHING, CHANNELS, CHANNELS]


def test_small_siblings_that_are_few_even_together_are_hidden_with_another() -> None:
    counts = np.array([[52, 0], [1, 0], [1, 0], [30, 0], [20, 0]])
    detail = detail_alone(Answers(np.array([-1, 0, 0, 0, 0]), counts), FEWEST)
    assert detail.tolist() == [CHANNELS, NOTHING, NOTHING, CHANNELS, NOTHING]


def test_a_small_channel_hides_the_channels_of_two_and_the_totals_of_none() -> None:
    counts = np.array([[52, 8], [10, 2], [30, 6], [12, 0]])
    detail = detail_alone(Answers(np.array([-1, 0, 0, 0]), counts), FEWEST)
    assert detail.tolist() == [CHANNELS, TOTAL, CHANNELS, TOTAL]


def test_an_edge_never_changes_exactly_when_its_loss_takes_the_graph_apart() -> None:
    random = np.random.default_rng(7)
    looked_at = 0
    for _, count in product(range(60), (4, 9)):
        edges = random.integers(0, count, size=(random.integers(1, 14), 2))
        start, end = edges[:, 0], edges[:, 1]
        change = random_circulation(start, end, count)
        balance = np.bincount(end, change, count) - np.bincount(start, change, count)
        assert not balance.any()
        whole = number_of_parts(edges, count)
        expected = [number_of_parts(np.delete(edges, n, axis=0), count) > whole for n in range(len(edges))]
        assert (change == 0).tolist() == expected
        looked_at += sum(expected)
    assert looked_at > 100


def number_of_parts(edges: npt.NDArray[np.int64], count: int) -> int:
    part = list(range(count))
    for _ in range(count):
        for one, other in edges.tolist():
            part[one] = part[other] = min(part[one], part[other])
    return len(set(part))
