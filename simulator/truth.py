"""What a correct pipeline must end with: contract.md's and rulings.md's answers, in plain Python.

Written from those pages alone and sharing nothing with the pipeline but the catalogue's declarations, so that the
two can be held against each other.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

import pandas as pd

from simulator.deliveries import Batch, Figure, Submission
from simulator.plan import FIRST, SECOND, Plan, Redo
from simulator.rates import ANSWERED, ANSWERS
from simulator.world import Pair

FAILED = ("outage", "missing_page", "digest")
"""Faults that stay after every retry: the batch is failed. Those that heal meanwhile leave no trace."""
REJECTED = (
    "html", "code", "unauthorised", "oversized", "unpacks_oversized", "too_many_rows", "unreadable", "wrong_header",
)  # fmt: skip
COUNTS = ("rows_received", "rows_loaded", "rows_quarantined", "rows_duplicate", "rows_superseded")


@dataclass(frozen=True)
class Truth:
    """The expected end of one phase.

    daily: division_code, stat_date, measure, channel (with 'all'), value: a division's own figures and those of all
    divisions below it, where at least one of them was loaded; of stocks, stat_date is the month's last
    day. cells: each unit's own accepted figures by day.
    ledger: per platform and day the COUNTS over all batches pulled so far. batches: every batch so far with its
    state (loaded, failed, rejected). quarantined: rows by reason code. reporting: division_code, stat_date,
    units_expected, units_reported. ignored: things in day folders that are no deliveries, by platform and day.
    personal: texts that may stand nowhere but in the archive.
    """

    daily: pd.DataFrame
    cells: dict[tuple[str, date], dict[Pair, int]]
    ledger: pd.DataFrame
    batches: pd.DataFrame
    quarantined: dict[str, int]
    reporting: pd.DataFrame
    ignored: dict[tuple[str, date], int]
    personal: tuple[str, ...]

    def differences(self, statistics: pd.DataFrame) -> pd.DataFrame:
        """Where rows of mart.daily_statistics and the truth part: one line per difference, none when equal.

        statistics: division_code, stat_date, measure, channel, value. A row of the mart that the truth lacks is no
        difference while its value is null or 0: what stands for a nil report or for nothing received.
        """
        keys = ["division_code", "stat_date", "measure", "channel"]
        mart = statistics[[*keys, "value"]].copy()
        mart["stat_date"] = pd.to_datetime(mart["stat_date"]).dt.date
        mart = mart[mart["measure"].notna() & mart["value"].notna()]
        both = self.daily.merge(mart, on=keys, how="outer", suffixes=("_truth", "_mart"))
        wrong = both["value_truth"].fillna(0).astype(float) != both["value_mart"].fillna(0).astype(float)
        absent = both["value_truth"].notna() & both["value_mart"].isna()
        return both[wrong | absent].reset_index(drop=True)


def truth_of(plan: Plan, phase: int, redo: Redo = "run-day") -> Truth:
    """The truth after the days were pulled in phase 1 and, for phase 2, pulled again as redo says."""
    core = _Core(plan)
    for day in plan.days:
        core.load(_pull_day(plan, FIRST, day), day)
    if phase == SECOND:
        for day in plan.days:
            core.load(_pull_day(plan, SECOND, day) if redo == "run-day" else _pull_since(plan, day), day)
    cells = core.cells()
    return Truth(
        daily=_roll_up(plan, cells),
        cells=cells,
        ledger=_ledger(core),
        batches=pd.DataFrame(core.batches, columns=["platform", "stat_date", "name", "state"]),
        quarantined=dict(core.reasons),
        reporting=_reporting(plan, core),
        ignored={key: len(found) for key, found in plan.foreign.items() if found},
        personal=tuple(plan.personal),
    )


# --- what a pull brings ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Arrival:
    """A batch as one pull met it. source: the object at the platform, to know the same bytes again."""

    batch: Batch
    source: object
    state: str


def _pull_day(plan: Plan, phase: int, day: date) -> list[_Arrival]:
    arrivals = []
    for (platform, stat_date), held in plan.phases[phase].items():
        fault = plan.rest_faults.get(platform, "") if phase == FIRST else ""
        for batch in held:
            state = _state(batch.fault or fault)
            if stat_date == day and state:
                arrivals.append(_Arrival(batch, batch, state))
    return arrivals


def _pull_since(plan: Plan, day: date) -> list[_Arrival]:
    arrivals = []
    for (_, stat_date), held in plan.phases[SECOND].items():
        for batch in held:
            if stat_date != day or not _state(batch.fault):
                continue
            if batch.family in ("csv", "workbook"):
                if batch.received_at >= plan.since:
                    arrivals.append(_Arrival(batch, batch, _state(batch.fault)))
                continue
            updated = tuple(s for s in batch.submissions if s.received_at >= plan.since)
            if updated:
                arrivals.append(_Arrival(replace(batch, submissions=updated), object(), "loaded"))
    return arrivals


def _state(fault: str) -> str:
    """State of a batch with this fault; empty when nobody sees the batch at all."""
    if fault == "no_digest":
        return ""
    return "failed" if fault in FAILED else "rejected" if fault in REJECTED else "loaded"


# --- what becomes of it ----------------------------------------------------------------------------------------


@dataclass
class _Loaded:
    """A unit's submission that stands. order: its revision, or for the hotline its receipt stamp."""

    order: int | datetime
    cells: dict[Pair, int]


@dataclass
class _Core:
    """What is loaded so far, and the count of every row that came."""

    plan: Plan
    standing: dict[tuple[str, str, date], _Loaded] = field(default_factory=dict)
    counts: dict[tuple[str, date], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    reasons: Counter[str] = field(default_factory=Counter)
    batches: list[tuple[str, date, str, str]] = field(default_factory=list)
    seen: dict[int, object] = field(default_factory=dict)

    def load(self, arrivals: Iterable[_Arrival], day: date) -> None:
        """One load of a day: submissions of all platforms by receipt, then by platform id (ruling 6)."""
        work: list[tuple[datetime, str, Batch, Submission]] = []
        for arrival in arrivals:
            batch = arrival.batch
            if id(arrival.source) in self.seen:
                continue
            if arrival.state != "failed":
                self.seen[id(arrival.source)] = arrival.source
            self.batches.append((batch.platform, day, batch.name, arrival.state))
            if arrival.state == "loaded":
                work.extend((s.received_at, batch.platform, batch, s) for s in _submissions(batch))
                self._withdraw_units_left_out(batch)
        work.sort(key=lambda each: each[:2])
        hotline = Counter((s.unit, at) for at, _, batch, s in work if batch.family == "database")
        for at, platform, batch, submission in work:
            if batch.family == "database" and hotline[submission.unit, at] > 1:
                self._hold(platform, day, submission.figures, "conflict")
            else:
                self._load_submission(batch, submission, day)

    def cells(self) -> dict[tuple[str, date], dict[Pair, int]]:
        """Own figures of every unit and day."""
        found: dict[tuple[str, date], dict[Pair, int]] = {}
        for (_, unit, day), loaded in self.standing.items():
            if loaded.cells:
                found.setdefault((unit, day), {}).update(loaded.cells)
        return found

    def _withdraw_units_left_out(self, batch: Batch) -> None:
        """A restated township file is the whole county-day."""
        if batch.family != "csv":
            return
        sent = {submission.unit for submission in batch.submissions}
        for unit in self.plan.world.below(batch.unit):
            key = (batch.platform, unit, batch.stat_date)
            loaded = self.standing.get(key)
            if unit not in sent and loaded is not None and loaded.order < batch.revision:  # type: ignore[operator]
                del self.standing[key]

    def _load_submission(self, batch: Batch, submission: Submission, day: date) -> None:
        count = self.counts[batch.platform, day]
        if submission.unreadable:
            count.update(rows_received=1, rows_quarantined=1)
            self.reasons["structure"] += 1
            return
        held = self._reason_to_hold(batch, submission)
        if held:
            self._hold(batch.platform, day, submission.figures, held)
            return
        key = (batch.platform, submission.unit, day)
        order = submission.received_at if batch.family == "database" else submission.revision
        earlier = self.standing.get(key)
        if earlier is not None and order < earlier.order:  # type: ignore[operator]
            count.update(rows_received=len(submission.figures), rows_superseded=len(submission.figures))
            return
        same = earlier if earlier is not None and earlier.order == order else None
        good = self._good_cells(batch.platform, submission, day, same)
        if same is None and (good or not submission.figures):
            self.standing[key] = _Loaded(order, good)

    def _good_cells(
        self, platform: str, submission: Submission, day: date, same: _Loaded | None
    ) -> dict[Pair, int]:
        """Cells to load; of a revision that is loaded already, whose content stays, none."""
        count = self.counts[platform, day]
        values: dict[Pair, set[object]] = defaultdict(set)
        for figure in submission.figures:
            values[figure.measure, figure.channel].add(figure.value)
        good: dict[Pair, int] = {}
        for figure in submission.figures:
            pair = (figure.measure, figure.channel)
            if same is not None:
                repeats = same.cells.get(pair) == figure.value
                reason = "" if repeats else "conflict"
            else:
                repeats = pair in good
                reason = self._reason_to_hold_row(submission.unit, figure)
                differs = len(values[pair]) > 1
                if not reason and (differs or self._other_platform_has(platform, submission.unit, day, pair)):
                    reason = "conflict"
            if reason:
                self._hold(platform, day, (figure,), reason)
            elif repeats:
                count.update(rows_received=1, rows_duplicate=1)
            else:
                count.update(rows_received=1, rows_loaded=1)
                good[pair] = int(figure.value)
        return good

    def _other_platform_has(self, platform: str, unit: str, day: date, pair: Pair) -> bool:
        return any(
            pair in self.standing[other.id, unit, day].cells
            for other in self.plan.catalog.platforms.values()
            if other.id != platform and (other.id, unit, day) in self.standing
        )

    def _hold(self, platform: str, day: date, figures: Iterable[Figure], reason: str) -> None:
        rows = len(tuple(figures))
        self.counts[platform, day].update(rows_received=rows, rows_quarantined=rows)
        if rows:
            self.reasons[reason] += rows

    # --- reasons -----------------------------------------------------------------------------------------------

    def _reason_to_hold(self, batch: Batch, submission: Submission) -> str:
        """Why a whole submission is held back; empty when it is not."""
        world = self.plan.world
        if any(text in submission.note or text in batch.foot for text in self.plan.personal):
            return "personal"
        if submission.unit not in world.level:
            return "unit_unknown"
        if submission.unit in self.plan.closed_units:
            return "unit_inactive"
        area = self.plan.catalog.platforms[batch.platform].area
        if not any(submission.unit in self._below(code) for code in area):
            return "unit_outside_area"
        if submission.stat_date != self.plan.written(batch.stat_date):
            return "date"
        if batch.sums_off or submission.total_off or _unbalanced(submission):
            return "balance"
        return ""

    def _reason_to_hold_row(self, unit: str, figure: Figure) -> str:
        catalog = self.plan.catalog
        measure = catalog.measures.get(figure.measure)
        if measure is None or measure.dataset != self.plan.dataset:
            return "measure"
        if figure.channel not in catalog.channels_of(self.plan.dataset):
            return "channel"
        if self.plan.world.level[unit] not in {str(level) for level in measure.levels}:
            return "level"
        if not isinstance(figure.value, int) or not 0 <= figure.value <= measure.ceiling:
            return "value"
        return ""

    def _below(self, code: str) -> set[str]:
        if code not in self._areas:
            self._areas[code] = set(self.plan.world.below(code))
        return self._areas[code]

    _areas: dict[str, set[str]] = field(default_factory=dict)


def _submissions(batch: Batch) -> Iterable[Submission]:
    """The batch's submissions; two rows of one village in a workbook are one submission."""
    if batch.family != "workbook":
        return batch.submissions
    merged: dict[str, Submission] = {}
    for each in batch.submissions:
        earlier = merged.get(each.unit)
        merged[each.unit] = (
            each if earlier is None else replace(earlier, figures=earlier.figures + each.figures)
        )
    return merged.values()


def _unbalanced(submission: Submission) -> bool:
    """The critical checks of ruling 13 inside a submission: the five answers, answered ≤ asked, answered ≤ call."""
    values = {(f.measure, f.channel): f.value for f in submission.figures if isinstance(f.value, int)}
    for channel in {channel for _, channel in values}:
        answers = [values[code, channel] for code in ANSWERS if (code, channel) in values]
        answered = values.get((ANSWERED, channel))
        if answers and answered is not None and sum(answers) != answered:
            return True
        for part, whole in ((ANSWERED, "survey_asked"), ("hotline_answered", "hotline_call")):
            both = (part, channel) in values and (whole, channel) in values
            if both and values[part, channel] > values[whole, channel]:
                return True
    return False


# --- tables ----------------------------------------------------------------------------------------------------


def _roll_up(plan: Plan, cells: Mapping[tuple[str, date], Mapping[Pair, int]]) -> pd.DataFrame:
    sums: Counter[tuple[str, date, str, str]] = Counter()
    for (unit, day), own in cells.items():
        division: str | None = unit
        while division is not None:
            for (measure, channel), value in own.items():
                for each in {channel, "all"}:
                    sums[division, day, measure, each] += value
            division = plan.world.parent.get(division)
    rows = [(*key, value) for key, value in sorted(sums.items())]
    frame = pd.DataFrame(rows, columns=["division_code", "stat_date", "measure", "channel", "value"])
    return frame.astype({"value": "int64"})


def _ledger(core: _Core) -> pd.DataFrame:
    rows = [
        (platform, day, *(count[name] for name in COUNTS)) for (platform, day), count in core.counts.items()
    ]
    return pd.DataFrame(rows, columns=["platform", "stat_date", *COUNTS])


def _reporting(plan: Plan, core: _Core) -> pd.DataFrame:
    """Expected units and units with an accepted submission, counted at the unit and at every division above it."""
    counts: dict[tuple[str, date], list[int]] = defaultdict(lambda: [0, 0])
    for day in plan.days:
        expected = {
            unit
            for platform in plan.catalog.platforms_of(plan.dataset).values()
            if plan.dataset == "stocks" or plan.catalog.calendars[platform.calendar].expects(day)
            for code in platform.area
            for unit in plan.world.below(code)
            if plan.world.level[unit] in {str(level) for level in platform.level}
            and unit not in plan.closed_units
        }
        reported = {unit for _, unit, loaded_day in core.standing if loaded_day == day}
        for position, units in enumerate((expected, reported)):
            for unit in units:
                division: str | None = unit
                while division is not None:
                    counts[division, day][position] += 1
                    division = plan.world.parent.get(division)
    rows = [(division, day, *pair) for (division, day), pair in sorted(counts.items())]
    return pd.DataFrame(rows, columns=["division_code", "stat_date", "units_expected", "units_reported"])
