"""What stands at the platforms in each phase: the clean days, and what scenarios change in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Literal

import pandas as pd

from etl.catalog import Catalog, Dataset
from simulator.deliveries import SHANGHAI, Batch, Submission, deliver_day, deliver_month, received_day
from simulator.platforms import carried_units
from simulator.rest import RestFault
from simulator.world import World

FIRST, SECOND = 1, 2
"""Phases: before and after what is late, mended or restated has come."""
SECOND_PHASE_AT = time(18, 30)


@dataclass(frozen=True)
class Foreign:
    """Something in a day folder that is no delivery. link: it is a symbolic link that leaves the root."""

    name: str
    link: bool = False


class Plan:
    """Batches of a data set by phase, platform and day; a batch that both phases share is the same object in both.

    The days of stocks are the last ones of their months.
    """

    def __init__(
        self, world: World, catalog: Catalog, days: Sequence[date], dataset: Dataset = "daily"
    ) -> None:
        self.dataset = dataset
        self.world = world
        self.catalog = catalog
        self.days = tuple(sorted(days))
        self.carried = carried_units(world, catalog, dataset)
        self.phases: dict[int, dict[tuple[str, date], list[Batch]]] = {FIRST: {}, SECOND: {}}
        self.rest_faults: dict[str, RestFault] = {}
        self.foreign: dict[tuple[str, date], list[Foreign]] = defaultdict(list)
        self.closed_units: set[str] = set()
        self.personal: list[str] = []
        self.planted: dict[str, int] = defaultdict(int)
        self._taken: set[tuple[str, date, str]] = set()
        for day in self.days:
            deliver = deliver_day if dataset == "daily" else deliver_month
            for batch in deliver(world, catalog, self.carried, day):
                for phase in self.phases.values():
                    phase.setdefault((batch.platform, day), []).append(batch)

    @property
    def since(self) -> datetime:
        """When the second phase begins: whatever comes in it carries a later receipt stamp."""
        return datetime.combine(self._last_received, SECOND_PHASE_AT, SHANGHAI)

    @property
    def _last_received(self) -> date:
        return received_day(self.catalog, self.dataset, self.days[-1])

    def batches(self, phase: int) -> list[Batch]:
        """Every batch that stands at a platform in the phase."""
        return [batch for held in self.phases[phase].values() for batch in held]

    def free_batches(self, family: str, usable: Callable[[Batch], bool] = lambda batch: True) -> list[Batch]:
        """Batches of the first phase that no scenario has changed yet."""
        return [
            batch
            for batch in self.batches(FIRST)
            if batch.family == family
            and batch.submissions
            and self.is_free(batch.platform, batch.stat_date, batch.name)
            and batch.platform not in self.rest_faults
            and usable(batch)
        ]

    def is_free(self, platform: str, day: date, name: str) -> bool:
        """Whether no scenario has taken a batch."""
        return (platform, day, name) not in self._taken

    def take(self, platform: str, day: date, name: str) -> None:
        """Keep a batch from further scenarios."""
        self._taken.add((platform, day, name))

    def change(self, batch: Batch, first: Batch | None, second: Batch | None) -> None:
        """Put other batches in the place of one: first before, second after the phase begins; None removes it."""
        self.take(batch.platform, batch.stat_date, batch.name)
        for phase, other in ((FIRST, first), (SECOND, second)):
            held = self.phases[phase][batch.platform, batch.stat_date]
            held[:] = [
                each for kept in held for each in ([other] if kept is batch else [kept]) if each is not None
            ]

    def add(self, batch: Batch, phases: Iterable[int]) -> None:
        """Another batch beside what is there."""
        self.take(batch.platform, batch.stat_date, batch.name)
        for phase in phases:
            self.phases[phase][batch.platform, batch.stat_date].append(batch)

    def break_platform(self, platform: str, fault: RestFault, heals_late: bool) -> None:
        """Let a REST platform misbehave in the first phase.

        heals_late: nothing reaches it before it is mended, so that its submissions are stamped in the second phase.
        """
        self.rest_faults[platform] = fault
        if not heals_late:
            return
        for (owner, _), held in self.phases[SECOND].items():
            if owner == platform:
                held[:] = [self.received_late(batch) for batch in held]

    def received_late(self, batch: Batch) -> Batch:
        """The batch with receipt stamps of the second phase, in the same order."""
        return replace(
            batch,
            received_at=self.late(batch.received_at),
            submissions=tuple(replace(s, received_at=self.late(s.received_at)) for s in batch.submissions),
        )

    def late(self, stamp: datetime) -> datetime:
        """A receipt stamp's counterpart in the second phase: an hour and 45 minutes later, on the last day."""
        later = time(stamp.hour + 2, stamp.minute, stamp.second)
        return datetime.combine(self._last_received, later, SHANGHAI)

    def written(self, day: date) -> str:
        """How a submission of the data set writes its day."""
        return day.isoformat() if self.dataset == "daily" else f"{day:%Y-%m}"

    def listed(self, phase: int, platform: str) -> list[tuple[date, Submission]]:
        """What a REST platform lists in the phase: asked day and submission."""
        return [
            (day, submission)
            for (owner, day), held in self.phases[phase].items()
            if owner == platform
            for batch in held
            for submission in batch.submissions
        ]

    def divisions_after_closing(self) -> pd.DataFrame | None:
        """The divisions list without the closed units, valid from the first day; None when none is closed."""
        if not self.closed_units:
            return None
        listed = self.world.divisions
        return listed[~listed["code"].isin(self.closed_units)]


Redo = Literal["run-day", "restate"]
"""How the second phase is pulled: every day as a whole again, or what was received since Plan.since."""
