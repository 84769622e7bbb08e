"""The job: a day, or the stocks of a month, from the platforms to the marts, and what changed since.

Both data sets go the same way. Of stocks, `day` is the last day of their month.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime

from etl.catalog import Catalog, Dataset
from etl.load import load_day
from etl.plausibility import flag_day
from etl.pull import Trouble, pull_changes, pull_day
from etl.rollup import roll_up_day, waiting_days
from etl.site import Site
from etl.stock_rollup import roll_up_month

MOST_TASKS = 12
"""The platforms are spread over at most so many mapped tasks."""
FEWEST_PLATFORMS = 4


def plan_groups(catalog: Catalog, dataset: Dataset = "daily") -> list[list[str]]:
    """Spread the platforms that deliver a data set over few groups, one per mapped task, heavy families apart."""
    platforms = sorted(catalog.platforms_of(dataset).values(), key=lambda each: (each.family, each.id))
    count = min(MOST_TASKS, -(-len(platforms) // FEWEST_PLATFORMS))
    return [[each.id for each in platforms[start::count]] for start in range(count)]


def run_day(site: Site, day: date, platforms: Sequence[str], dataset: Dataset = "daily") -> list[Trouble]:
    """Pull, gate, load and roll up one day; returns the batches that are not in."""
    troubles = pull_day(site, platforms, day, uuid.uuid4().hex, dataset)
    load_and_roll_up(site, day, whole=True, dataset=dataset)
    return troubles


def load_and_roll_up(site: Site, day: date, *, whole: bool, dataset: Dataset = "daily") -> None:
    """Load what the gate has passed of a day, then write its totals, all of them or those that changed, and its flags.
    Stocks are rolled up whole."""
    _load_and_total(site, day, whole=whole, dataset=dataset)
    if dataset == "daily":
        flag_day(site.engine, site.catalog, day)


def restate(site: Site, platforms: Sequence[str], since: datetime | None) -> tuple[list[date], list[Trouble]]:
    """Bring in what the platforms received since a time; returns the days that changed and the batches not in."""
    troubles = pull_changes(site, platforms, since, run_key=uuid.uuid4().hex)
    show_changes(site, "stocks")
    return show_changes(site), troubles


def show_changes(site: Site, dataset: Dataset = "daily") -> list[date]:
    """Load and roll up every day that has something waiting, then write their flags; returns those days."""
    days = waiting_days(site.engine, dataset)
    for day in days:
        _load_and_total(site, day, whole=False, dataset=dataset)
    if dataset == "daily":
        for day in days:
            flag_day(site.engine, site.catalog, day)
    return days


def _load_and_total(site: Site, day: date, *, whole: bool, dataset: Dataset) -> None:
    load_day(site.engine, day, dataset)
    if dataset == "stocks":
        roll_up_month(site.engine, site.catalog, day)
    else:
        roll_up_day(site.engine, site.catalog, day, whole=whole)
