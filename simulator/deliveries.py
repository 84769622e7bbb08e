"""What the platforms have to deliver on a day, before it takes a shape: submissions in batches."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from etl.catalog import Catalog, Dataset, Platform
from simulator.platforms import HOTLINE_COLUMNS, HOTLINE_ONLY
from simulator.stocks import stocks
from simulator.world import Pair, World

SHANGHAI = ZoneInfo("Asia/Shanghai")

FileFault = Literal[
    "", "digest", "no_digest", "oversized", "unpacks_oversized", "too_many_rows", "unreadable", "wrong_header"
]


class Figure(NamedTuple):
    """One figure as it is sent: a whole number, or whatever a scenario planted in its place."""

    measure: str
    channel: str
    value: int | float | str


@dataclass(frozen=True)
class Submission:
    """One unit's figures for one day, or a month's stocks, with a revision; without figures it is a nil report.

    stat_date: the day written into it, ISO text; of stocks the month, such as 2026-03. received_at: the platform's
    receipt stamp, Asia/Shanghai.
    totals: whether the sender adds its own sums; total_off: what it adds to the first of them by mistake.
    note: text that the sender wrote beside the figures. unreadable: no rows can be read from it.
    """

    unit: str
    stat_date: str
    revision: int
    received_at: datetime
    figures: tuple[Figure, ...]
    totals: bool = True
    total_off: int = 0
    note: str = ""
    unreadable: bool = False


@dataclass(frozen=True)
class Batch:
    """Submissions of one platform and day that travel together: a day's list (A, D) or one file (B, C). The day of
    stocks is the last of their month.

    unit: the county (B) or township (C) of the file, empty for A and D. received_at: time of the .sha256 (B) or of
    the file (C). foot: text below a workbook. sums: whether a workbook has its 合计 row, sums_off what it is wrong
    by, sums_blank the columns that it leaves blank.
    """

    platform: str
    family: str
    stat_date: date
    name: str
    submissions: tuple[Submission, ...]
    received_at: datetime
    unit: str = ""
    revision: int = 1
    fault: FileFault = ""
    foot: str = ""
    sums: bool = True
    sums_off: int = 0
    sums_blank: frozenset[Pair] = field(default_factory=frozenset)


def stamp(day: date, rng: random.Random, first: time = time(17, 0), minutes: int = 59) -> datetime:
    """A receipt time of the day, Asia/Shanghai, to the second."""
    return datetime.combine(day, first, SHANGHAI) + timedelta(seconds=rng.randrange(minutes * 60))


def file_name(family: str, unit: str, day: date, revision: int) -> str:
    """Name of a township (B) or village (C) file as contract.md spells it."""
    if family == "csv":
        return f"township_{unit[:6]}_{day:%Y%m%d}_r{revision}.csv.gz"
    return f"village_{unit[:9]}_{day:%Y%m%d}{'' if revision == 1 else f'_r{revision}'}.xlsx"


def deliver_day(world: World, catalog: Catalog, carried: dict[str, list[str]], day: date) -> list[Batch]:
    """Everything that the platforms deliver on the day when nothing goes wrong."""
    databases = [p.id for p in catalog.platforms.values() if p.family == "database"]
    hotline = {unit for platform in databases for unit in carried[platform]}
    delivering = [p for p in catalog.platforms.values() if p.id in carried]
    at_work = [p for p in delivering if catalog.calendars[p.calendar].expects(day)]
    units = {unit for platform in at_work for unit in carried[platform.id]}
    figures = world.figures(day, units)
    batches: list[Batch] = []
    for platform in at_work:
        reports = [(unit, figures[unit]) for unit in carried[platform.id]]
        if not reports:
            continue
        if platform.family == "database":
            batches.append(_hotline(world, platform, day, reports))
        elif platform.family == "rest":
            batches.append(_rest(world, platform, day, reports, hotline))
        else:
            batches.extend(_files(world, platform, day, reports))
    return batches


def deliver_month(
    world: World, catalog: Catalog, carried: dict[str, list[str]], last_day: date
) -> list[Batch]:
    """The stocks that the platforms deliver for the month that ends on a day when nothing goes wrong."""
    found = stocks(world, last_day, [unit for units in carried.values() for unit in units])
    received_on = received_day(catalog, "stocks", last_day)
    batches = []
    for platform, units in carried.items():
        rng = random.Random(f"{world.seed}|{last_day}|{platform}|stocks")
        submissions = tuple(
            Submission(
                unit,
                f"{last_day:%Y-%m}",
                1,
                stamp(received_on, rng),
                tuple(Figure(measure, "all", value) for measure, value in found[unit].items()),
                totals=False,
            )
            for unit in units
        )
        if submissions:
            batches.append(Batch(platform, "rest", last_day, "stocks", submissions, _latest(submissions)))
    return batches


def received_day(catalog: Catalog, dataset: Dataset, day: date) -> date:
    """The day on which the platforms receive what is of a day: the day itself; of stocks, the 5th working day after
    their month."""
    worked = 0
    while dataset == "stocks" and worked < 5:
        day += timedelta(days=1)
        worked += catalog.calendars["workdays"].is_workday(day)
    return day


def _hotline(
    world: World, platform: Platform, day: date, reports: list[tuple[str, dict[Pair, int]]]
) -> Batch:
    rng = random.Random(f"{world.seed}|{day}|{platform.id}")
    submissions = tuple(
        Submission(
            unit,
            day.isoformat(),
            1,
            stamp(day, rng),
            tuple(Figure(*pair, figures.get(pair, 0)) for pair in HOTLINE_COLUMNS.values()),
            totals=False,
        )
        for unit, figures in reports
    )
    return Batch(platform.id, platform.family, day, "hotline_daily", submissions, _latest(submissions))


def _rest(
    world: World, platform: Platform, day: date, reports: list[tuple[str, dict[Pair, int]]], hotline: set[str]
) -> Batch:
    submissions = []
    for unit, figures in reports:
        rng = random.Random(f"{world.seed}|{day}|{platform.id}|{unit}")
        lists_zeros = random.Random(f"{world.seed}|{unit}").random() < 0.5
        left_out = HOTLINE_ONLY if unit in hotline else frozenset()
        cells = []
        for measure, channel in world.pairs(world.level[unit]):
            value = figures.get((measure, channel), 0)
            survey = world.catalog.measures[measure].kind == "survey"
            shown = figures.get(("survey_asked", channel), 0) > 0 if survey else value > 0 or lists_zeros
            if shown and (measure, channel) not in left_out:
                cells.append(Figure(measure, channel, value))
        submissions.append(
            Submission(unit, day.isoformat(), 1, stamp(day, rng), tuple(cells), totals=rng.random() < 0.7)
        )
    return Batch(platform.id, platform.family, day, "submissions", tuple(submissions), _latest(submissions))


def _files(
    world: World, platform: Platform, day: date, reports: list[tuple[str, dict[Pair, int]]]
) -> list[Batch]:
    """One file per parent of the reporting units: county for townships, township for villages."""
    by_parent: dict[str, list[tuple[str, dict[Pair, int]]]] = {}
    for unit, figures in reports:
        by_parent.setdefault(world.parent[unit], []).append((unit, figures))
    batches = []
    for parent, members in by_parent.items():
        name = file_name(platform.family, parent, day, 1)
        rng = random.Random(f"{world.seed}|{name}")
        received_at = stamp(day, rng, time(17, 20), 39)
        submissions = []
        for unit, figures in members:
            order = {pair: position for position, pair in enumerate(world.pairs(world.level[unit]))}
            cells = [Figure(*pair, figures[pair]) for pair in sorted(figures, key=order.__getitem__)]
            if cells:
                # A unit that has something to report writes some of its zeros down, too.
                zeros = [
                    p for p in order if p not in figures and p[1] == "physical" and not _is_survey(world, p)
                ]
                cells += [Figure(*pair, 0) for pair in zeros if rng.random() < 0.08]
            submissions.append(
                Submission(unit, day.isoformat(), 1, received_at, tuple(cells), totals=rng.random() < 0.5)
            )
        batches.append(
            Batch(platform.id, platform.family, day, name, tuple(submissions), received_at, parent)
        )
    return batches


def revised(batch: Batch, revision: int, received_at: datetime, submissions: tuple[Submission, ...]) -> Batch:
    """The file again as a higher or lower revision, received at another time."""
    return replace(
        batch,
        name=file_name(batch.family, batch.unit, batch.stat_date, revision),
        revision=revision,
        received_at=received_at,
        submissions=tuple(replace(s, revision=revision, received_at=received_at) for s in submissions),
    )


def _is_survey(world: World, pair: Pair) -> bool:
    return world.catalog.measures[pair[0]].kind == "survey"


def _latest(submissions: tuple[Submission, ...] | list[Submission]) -> datetime:
    return max(each.received_at for each in submissions)
