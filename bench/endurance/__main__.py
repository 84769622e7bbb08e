"""`python -m bench.endurance`: daily run, restatement and pages with years in the warehouse beside one month; writes
docs/endurance.md."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import click

from bench.databases import checkpoint
from bench.endurance.clock import Clock, Spent
from bench.endurance.days import Steps, forget, restate, run_day
from bench.endurance.make import MAKER, MODEL, MONTH, YEARS, evening, make, months, open_database
from bench.endurance.pages import ask_pages
from bench.endurance.report import Found, describe
from bench.endurance.room import read_room
from etl.periodic import show_period, waiting_periods
from etl.warehouse import ServerAddress, stop_embedded

PROVINCE = "37"
PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "endurance.md"
DAYS = [MODEL.ends_on - timedelta(days=back) for back in (2, 1, 0)]
YESTERDAY = DAYS[1]
LONG_AGO = months()[-1].starts_on + timedelta(days=13)
TIMES = 3


@click.command(help=__doc__)
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("/var/tmp/pls-endurance"),
    show_default=True,
    help="Where the warehouse stands; it is made there when it is not yet, and stays.",
)
@click.option(
    "--area",
    default=PROVINCE,
    show_default=True,
    help="First digits of the divisions that report; with a city's four nothing is written.",
)
def main(home: Path, area: str) -> None:
    """Make what is lacking, measure, print the page, and write it when the area is the province."""
    before = os.getloadavg()[0]
    server = make(home, area)
    try:
        found = _measure(server, home, area)
        page = describe(found, (before, os.getloadavg()[0]))
    finally:
        stop_embedded(home)
    click.echo(page)
    if area == PROVINCE:
        PAGE.write_text(page + "\n", encoding="utf-8")


def _measure(server: ServerAddress, home: Path, area: str) -> Found:
    clock = Clock(home)
    for database in (MONTH, YEARS):
        site = open_database(server, database, evening(DAYS[0]), MAKER)
        forget(site, DAYS[0])
        # What a run that was cut off left to be shown.
        for period in waiting_periods(site):
            show_period(site, period)
        site.engine.dispose()
    rooms = {}
    for database in (MONTH, YEARS):
        _say(f"room of the {database}")
        rooms[database] = read_room(server, database)
    runs: dict[str, list[Steps]] = {MONTH: [], YEARS: []}
    for day in DAYS:
        for database in (MONTH, YEARS):
            _say(f"{day} in the warehouse of the {database}")
            site = open_database(server, database, evening(day))
            checkpoint(server, database)
            runs[database].append(run_day(site, clock, day, area))
            _say_steps(runs[database][-1])
            site.engine.dispose()
    restated: dict[str, list[Steps]] = {"yesterday": [], "long ago": []}
    site = open_database(server, YEARS, evening(DAYS[-1]))
    for _ in range(TIMES):
        for name, day in (("yesterday", YESTERDAY), ("long ago", LONG_AGO)):
            _say(f"a township restates {day}")
            checkpoint(server, YEARS)
            restated[name].append(restate(site, clock, day, area))
            _say_steps(restated[name][-1])
    site.engine.dispose()
    pages = {}
    for database in (MONTH, YEARS):
        _say(f"pages of the {database}")
        site = open_database(server, database, evening(DAYS[-1]))
        pages[database] = ask_pages(site, clock, area)
        _say_steps(pages[database])
        site.engine.dispose()
    return Found(
        runs[MONTH],
        runs[YEARS],
        restated["yesterday"],
        restated["long ago"],
        pages[MONTH],
        pages[YEARS],
        rooms[MONTH],
        rooms[YEARS],
    )


def _say_steps(steps: Mapping[str, Spent]) -> None:
    _say(", ".join(f"{name} {spent.cpu:.2f}" for name, spent in steps.items()))


def _say(words: str) -> None:
    print(f"endurance: {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
