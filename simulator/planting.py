"""How scenarios choose their victims: deterministic, and no batch twice."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from simulator.deliveries import Batch, Figure, Submission
from simulator.plan import Plan
from simulator.platforms import HOTLINE_ONLY
from simulator.world import Pair

PER_FAMILY = 2
"""Victims of a scenario in each family, where there are as many."""


class ScenarioError(Exception):
    """The scenario cannot be planted in this world; the message says what it lacks."""


class Planter:
    """Plants one scenario in a plan and counts what it planted under the scenario's name."""

    def __init__(self, plan: Plan, name: str) -> None:
        self.plan = plan
        self.name = name
        self.rng = random.Random(f"{plan.world.seed}|{name}")

    def count(self, planted: int) -> None:
        """Note that so many rows, files or platforms are wrong now."""
        self.plan.planted[self.name] += planted

    def batches(
        self, family: str, usable: Callable[[Batch], bool] = lambda batch: True, most: int = PER_FAMILY
    ) -> list[Batch]:
        """Up to `most` batches of the family that no scenario has touched."""
        free = self.plan.free_batches(family, usable)
        return self.rng.sample(free, min(most, len(free)))

    def platforms(self, most: int = 1) -> list[str]:
        """Up to `most` REST platforms that no scenario has touched on any day."""
        days: dict[str, int] = {}
        for batch in self.plan.free_batches("rest"):
            days[batch.platform] = days.get(batch.platform, 0) + 1
        most_days = max(days.values(), default=0)
        free = [platform for platform, count in days.items() if count == most_days]
        return self.rng.sample(free, min(most, len(free)))

    def keep(self, batch: Batch, changed: Batch) -> None:
        """Put the changed batch in the place of the batch, for both phases."""
        self.plan.change(batch, changed, changed)

    def plain_figures(self, submission: Submission) -> list[Figure]:
        """Figures that no critical check binds: neither survey nor hotline calls."""
        measures = self.plan.catalog.measures
        return [
            figure
            for figure in submission.figures
            if measures[figure.measure].kind != "survey"
            and (figure.measure, figure.channel) not in HOTLINE_ONLY
        ]

    def has_plain(self, batch: Batch) -> bool:
        """Whether some submission of the batch has such figures."""
        return any(self.plain_figures(submission) for submission in batch.submissions)

    def victim(self, batch: Batch) -> Submission:
        """One submission of the batch with plain figures."""
        return self.rng.choice([each for each in batch.submissions if self.plain_figures(each)])

    def unused_pair(self, submission: Submission) -> Pair | None:
        """A plain pair of the unit's level that the submission does not report; None when it reports all."""
        world = self.plan.world
        used = {(figure.measure, figure.channel) for figure in submission.figures}
        for pair in world.pairs(world.level[submission.unit], self.plan.dataset):
            if (
                pair not in used
                and world.catalog.measures[pair[0]].kind != "survey"
                and pair not in HOTLINE_ONLY
            ):
                return pair
        return None


def with_submission(batch: Batch, old: Submission, new: Sequence[Submission]) -> Batch:
    """The batch with other submissions in the place of one."""
    return replace(
        batch, submissions=tuple(s for each in batch.submissions for s in (new if each is old else (each,)))
    )


def without_sums(batch: Batch, figures: Sequence[Figure]) -> Batch:
    """The workbook with its 合计 left blank for these columns: no sum is stated of what cannot be summed."""
    return replace(
        batch, sums_blank=batch.sums_blank | {(figure.measure, figure.channel) for figure in figures}
    )
