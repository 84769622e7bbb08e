"""What was measured, as a page."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.endurance.clock import Spent
from bench.endurance.days import ASKED, GATED, JUDGED, LOADED, ROLLED, Steps
from bench.endurance.make import MODEL, MONTHS, content
from bench.endurance.room import Room
from etl.periods import Period

BEFORE_PERIODS = (GATED, LOADED, ROLLED, JUDGED, ASKED)
KINDS = {"day": "the day", "month": "its month", "quarter": "its quarter", "year": "its year"}
GIGABYTE, MEGABYTE = 1e9, 1e6
HEAD = """# Endurance

Written by `python -m bench.endurance`, which makes the warehouse (in --home, resumable) and measures it; nothing here
is typed. Two warehouses on one PostgreSQL: one with the days of {model} alone, one with the {months} months
before it too.
Every village, township and county reports every day, most of them nil (bench/sql/endurance/submission.sql says how
they are drawn). The last month's days are rolled up and shown by the product, earlier days are the same days again,
with the constraints and indexes of production; of months, quarters, years and years to date one of each content is
computed by the product. What is measured is what the tasks of the DAGs call.

Seconds are of the processors: of the process and of PostgreSQL's processes for its clients; in brackets those on the
wall. Each is the least of {repeats}, taken in turns. Autovacuum is off while the clock runs.
"""


@dataclass(frozen=True)
class Found:
    """Runs of the same days with a month and with years in the warehouse; a township's restated day of yesterday and of
    long ago; pages of both warehouses, and what they take on disk."""

    month: Sequence[Steps]
    years: Sequence[Steps]
    yesterday: Sequence[Steps]
    long_ago: Sequence[Steps]
    month_pages: Mapping[str, Spent]
    years_pages: Mapping[str, Spent]
    month_room: Room
    years_room: Room


def describe(found: Found, load: tuple[float, float]) -> str:
    """The page, in Markdown. load: the machine's load average before and after."""
    return "\n".join(
        [
            HEAD.format(model=MODEL.name_zh, months=MONTHS, repeats=len(found.years)),
            "## A daily run, from archived files to everything that is shown",
            "",
            *_compared(found.month, found.years, "one month", f"{MONTHS} months more", "1.1"),
            "",
            (
                "Flags and the estimates of a month look back 91 days, as the catalogue declares, and find a third of"
                " them in one month. What they take more is that; after the fourth month it grows no further."
            ),
            "",
            "## A township restates a day",
            "",
            *_compared(found.yesterday, found.long_ago, "yesterday", "three years ago", "1.1"),
            "",
            (
                "What a fit led to expect is kept for 31 days: an older day is judged whole. Yesterday's quarter and"
                f" year have one month in them, the old day's {_months_in(found, 'quarter')} and"
                f" {_months_in(found, 'year')}."
                " Shown anew for the old day, and not for yesterday: the years to date that ended after its month,"
                f" {_later(found)}."
            ),
            "",
            "## The portal",
            "",
            *_pages(found),
            "",
            "## Room",
            "",
            *_sizes(found.month_room, found.years_room),
            "",
            f"Machine: {os.cpu_count()} cores; load average {load[0]:.1f} before, {load[1]:.1f} after.",
        ]
    )


def _compared(
    few: Sequence[Steps], many: Sequence[Steps], few_name: str, many_name: str, goal: str
) -> list[str]:
    """Step by step, as far as both have it; the ratio of all of them is the one that is asked for."""
    parts: list[tuple[str, Spent, Spent]] = [
        (name, _least(few, name), _least(many, name)) for name in BEFORE_PERIODS
    ]
    parts += [(words, _of_kind(few, kind), _of_kind(many, kind)) for kind, words in KINDS.items()]
    parts.append(("its year to date", _first_to_date(few), _first_to_date(many)))
    lines = [[name, _shown(one), _shown(other), _ratio(one, other)] for name, one, other in parts]
    bounded = [part for part in parts if part[0] not in (JUDGED, KINDS["month"])]
    for words, some in (("all but flags and its month", bounded), (f"**all** (goal ≤ {goal})", parts)):
        one, other = (sum((part[column] for part in some), Spent(0, 0)) for column in (1, 2))
        lines.append([words, _shown(one), _shown(other), f"**{_ratio(one, other)}**"])
    return table(["", few_name, many_name, "ratio"], lines)


def _least(runs: Sequence[Steps], name: str) -> Spent:
    return min((run[name] for run in runs), key=lambda spent: spent.cpu)


def _of_kind(runs: Sequence[Steps], kind: str) -> Spent:
    return min(
        (spent for run in runs for name, spent in run.items() if _kind(name) == kind),
        key=lambda each: each.cpu,
    )


def _first_to_date(runs: Sequence[Steps]) -> Spent:
    """The year to the end of the day's own month."""
    firsts = [next(spent for name, spent in run.items() if _kind(name) == "to_date") for run in runs]
    return min(firsts, key=lambda each: each.cpu)


def _later(found: Found) -> str:
    run = min(found.long_ago, key=lambda steps: sum(each.cpu for each in steps.values()))
    later = [spent for name, spent in run.items() if _kind(name) == "to_date"][1:]
    return f"{len(later)} of them in {_shown(sum(later, Spent(0, 0)))}"


def _months_in(found: Found, kind: str) -> int:
    """Of the old day's longer period, as far as there are any."""
    return len(content(next(Period.parse(name) for name in found.long_ago[0] if _kind(name) == kind))) - 1


def _kind(name: str) -> str | None:
    return None if name in BEFORE_PERIODS else Period.parse(name).kind


def _pages(found: Found) -> list[str]:
    lines = [
        [
            name,
            _milliseconds(found.month_pages[name]),
            _milliseconds(spent),
            _ratio(found.month_pages[name], spent),
        ]
        for name, spent in found.years_pages.items()
    ]
    return table(["page", "one month", f"{MONTHS} months more", "ratio"], lines)


def _sizes(month: Room, years: Room) -> list[str]:
    lines, rest = [], [0, 0]
    for name, (heap, index, rows) in years.tables.items():
        grown = heap + index - sum(month.tables.get(name, (0, 0, 0))[:2])
        if heap + index < 20 * MEGABYTE:
            rest = [rest[0] + heap + index, rest[1] + grown]
            continue
        lines.append(
            [f"`{name}`", f"{rows:,}", _gigabytes(heap), _gigabytes(index), _gigabytes(grown / MONTHS * 12)]
        )
    lines.append(["all others", "", _gigabytes(rest[0]), "", _gigabytes(rest[1] / MONTHS * 12)])
    growth = (years.bytes - month.bytes) / MONTHS * 12
    lines.append(["**all**", "", f"**{_gigabytes(years.bytes)}**", "", f"**{_gigabytes(growth)}**"])
    return [
        (
            f"{years.submissions:,} daily submissions of {years.days:,} days, {years.nil / years.submissions:.0%} of"
            f" them nil, with {years.figures:,} figures. Read before the measurements above, which write periods anew."
            " The archive of what came in is kept apart."
        ),
        "",
        *table(["", "rows", "GB", "indexes, GB", "a year more, GB"], lines),
    ]


def table(head: list[str], lines: list[list[str]]) -> list[str]:
    return ["| " + " | ".join(line) + " |" for line in (head, ["---"] * len(head), *lines)]


def _shown(spent: Spent) -> str:
    return f"{spent.cpu:.2f} s ({spent.wall:.2f} s)"


def _milliseconds(spent: Spent) -> str:
    return f"{spent.cpu * 1000:.0f} ms ({spent.wall * 1000:.0f} ms)"


def _ratio(one: Spent, other: Spent) -> str:
    return f"{other.cpu / one.cpu:.2f}" if one.cpu else "–"


def _gigabytes(number: float) -> str:
    return f"{float(number) / GIGABYTE:.2f}"
