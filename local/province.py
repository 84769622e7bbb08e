"""Three working days and a month's end of the whole province, simulated, through a real Airflow into the marts: how
long a day takes from the start of its DAG run to fresh marts, where that goes, and proof that the marts hold the truth.

python -m local.province [--home FOLDER] [--prefix DIGITS]
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from etl.catalog import Calendar, Catalog, load_catalog
from etl.periodic import waiting_periods
from etl.periods import Period
from etl.site import Site, open_site
from local.api import ENDED, Api, Run
from local.proof import prove_equal
from local.simulated import (
    SEED,
    Running,
    Simulated,
    SimulatedError,
    Watch,
    newest_due,
    run_simulated,
    run_told,
    settings_of,
)
from local.stack import PREFERENCES, PROJECT
from local.timing import Step, cpu_seconds, steps_of
from simulator.simulation import Simulation

DAG, MONTHLY, PERIODS = "daily_statistics", "monthly_stocks", "period_indicators"
DAYS = 3
RUN_SECONDS = 1_800
GOAL_S = 240
PROVINCE = "37"
PAGE = PROJECT / "docs" / "province.md"
HEAD = """# The province through Airflow

Written by `make province`. The {platforms} simulated platforms of daily figures of the {cities} cities, and {cities}
of stocks, serve REST, SFTP and database views; Airflow ({parallelism} tasks at a time by LocalExecutor), its database,
the warehouse, the portal and the platforms share the {cores} cores of this machine. A day is counted from the start of
its run of `daily_statistics` until the last mart that shows it is fresh: its totals, and the indicators of every
period that it lies in. The goal is {goal} s. Of each step: when its first task was queued and its last one ended, in
seconds after the run's start, and what its tasks did, in seconds added up over them.

"""


@dataclass(frozen=True)
class Measured:
    """A day's run, or a month's. fresh: seconds from the run's start until all marts were fresh, whole: until the last
    task ended (the day's tables and Data Docs). cpu: processor seconds by program, meanwhile. batches: loaded, by
    family of the platforms. rows: loaded."""

    name: str
    fresh: float
    whole: float
    steps: list[Step]
    cpu: Mapping[str, float]
    batches: Mapping[str, int]
    rows: int


def working_days(now: datetime, calendar: Calendar) -> list[date]:
    """All days from the third newest working day whose daily run is due at `now` to the newest day that is, oldest
    first: on working days alone townships and villages report."""
    days = [newest_due(now)]
    while sum(calendar.expects(day) for day in days) < DAYS:
        days.insert(0, days[0] - timedelta(days=1))
    return days


def run_province(home: Path, prefix: str, now: datetime) -> None:
    """Run it below `home`, which is emptied first; of the whole province also docs/province.md is written.

    Raises SimulatedError, StackError, ApiError or WarehouseError in words for a person.
    """
    load = os.getloadavg()[0]
    calendar = load_catalog(None).calendars["workdays"]
    days = working_days(now, calendar)
    month = Period.around("month", days[-1]).previous()
    watch = Watch(time.monotonic())
    print(f"Cities {prefix}…, {days[0]} to {days[-1]}; everything goes to {home}")
    with run_simulated(home, Simulated(f"cities {prefix}…", prefix, days, month), watch) as running:
        os.environ |= settings_of(home) | {"PLS_CATALOG": str(running.catalog or "")}
        site = open_site()
        with Api(running.stack) as api:
            measured = _measure(api, site, running, days, month, watch)
        simulation = Simulation(
            home / "truth", days, prefix, SEED, months=[month.starts_on], hotline_url="postgresql://"
        )  # not served: only asked what it would have delivered
        with site.engine.connect() as conn:
            compared = prove_equal(conn, simulation, month.ends_on)
        watch.lap("every figure is held against what the platforms delivered")
        site.engine.dispose()
    page = describe(site.catalog, measured, compared, load)
    print(f"\n{page}")
    if prefix == PROVINCE:
        PAGE.write_text(page, encoding="utf-8")


def _measure(
    api: Api, site: Site, running: Running, days: Sequence[date], month: Period, watch: Watch
) -> list[Measured]:
    """One day after the other, and the month. The newest is first, since Airflow makes its run itself where the DAG is
    switched on soon after it was due."""
    for dag in (PERIODS, MONTHLY):
        api.unpause(dag)
    measured = []
    for day in (days[-1], *days[:-1]):
        before = cpu_seconds(running)
        due = api.unpause(DAG)
        if day != days[-1] or due is None or due > datetime.now(UTC):
            api.start(DAG, {}, partition=day.isoformat())
        measured.append(_finish(api, site, running, DAG, day.isoformat(), day, before))
        watch.lap(f"{day}: marts fresh after {measured[-1].fresh:.1f} s")
    before = cpu_seconds(running)
    api.start(MONTHLY, {}, partition=month.name)
    measured.append(_finish(api, site, running, MONTHLY, month.name, month.ends_on, before))
    watch.lap(f"stocks of {month.name}: marts fresh after {measured[-1].fresh:.1f} s")
    return sorted(measured, key=lambda each: each.name)


def _finish(
    api: Api, site: Site, running: Running, dag: str, partition: str, day: date, before: Mapping[str, float]
) -> Measured:
    """Wait for a run and for every period that it touches, and say where the time went."""
    (run,) = api.wait(dag, [partition], RUN_SECONDS)
    periods = _wait_until_shown(api, site, run)
    failed = [each for each in (run, *periods) if each.state != "success"]
    if failed:
        raise SimulatedError(f"{failed[0].partition} is {failed[0].state}. Logs: {running.stack.logs}")
    used = {name: now - before[name] for name, now in cpu_seconds(running).items()}
    assert run.started_at is not None
    logs = running.stack.logs
    own = api.tasks(dag, run.run_id)
    shown = [task for each in periods for task in api.tasks(PERIODS, each.run_id)]
    again = [task["task_id"] for task in (*own, *shown) if task["try_number"] > 1]
    if again:
        raise SimulatedError(f"{partition}: {', '.join(again)} took more than one try. Logs: {logs}")
    steps = steps_of(own, logs, run.started_at) + steps_of(shown, logs, run.started_at, name=PERIODS)
    fresh = max(step.last for step in steps if step.name in ("load_and_roll_up", PERIODS))
    return Measured(
        partition,
        fresh,
        max(step.last for step in steps),
        sorted(steps, key=lambda step: step.first),
        used,
        *_came(site, day, "stocks" if dag == MONTHLY else "daily"),
    )


def _wait_until_shown(api: Api, site: Site, run: Run) -> list[Run]:
    """The runs of period_indicators since a run began, once nothing waits any more."""
    deadline = time.monotonic() + RUN_SECONDS
    assert run.started_at is not None
    while True:
        waiting = waiting_periods(site)
        runs = [
            each for each in api.runs(PERIODS) if each.started_at is None or each.started_at > run.started_at
        ]
        if not waiting and runs and all(each.state in ENDED for each in runs):
            return runs
        if time.monotonic() > deadline:
            raise SimulatedError(f"Not shown: {', '.join(each.name for each in waiting)}")
        time.sleep(1)


def _came(site: Site, day: date, dataset: str) -> tuple[Counter[str], int]:
    """Batches of a day that are loaded, by family, and their rows."""
    wanted = "stat_date = :day AND dataset = :dataset AND state = 'loaded'"
    query = sa.text(f"SELECT platform, rows_loaded FROM mart.ledger WHERE {wanted}")
    with site.engine.connect() as conn:
        found = conn.execute(query, {"day": day, "dataset": dataset}).all()
    families: Counter[str] = Counter(site.catalog.platforms[row.platform].family for row in found)
    return families, sum(row.rows_loaded for row in found)


def describe(catalog: Catalog, measured: Sequence[Measured], compared: Mapping[str, int], load: float) -> str:
    """The page, in Markdown. compared: figures proved equal, by level. load: the machine's load average before."""
    daily = catalog.platforms_of("daily").values()
    lines = [
        HEAD.format(
            platforms=len(daily),
            cities=sum(each.family == "database" for each in daily),
            parallelism=PREFERENCES["AIRFLOW__CORE__PARALLELISM"],
            cores=os.cpu_count(),
            goal=GOAL_S,
        )
    ]
    families = ("rest", "csv", "workbook", "database")
    lines += _table(
        ["", "marts fresh after", "last task after", *families, "rows loaded"],
        [
            [
                each.name,
                f"**{each.fresh:.0f} s**",
                f"{each.whole:.0f} s",
                *(f"{each.batches.get(family, 0):,}" for family in families),
                f"{each.rows:,}",
            ]
            for each in measured
        ],
    )
    lines += ["", "Processor seconds by program, meanwhile:", ""]
    lines += _table(
        ["", *(each.name for each in measured)],
        [[name, *(f"{each.cpu[name]:.1f}" for each in measured)] for name in measured[0].cpu]
        + [["together", *(f"{sum(each.cpu.values()):.1f}" for each in measured)]],
    )
    for each in measured:
        rows = [
            (step.name, str(step.tasks), *(f"{seconds:.1f}" for seconds in astuple(step)[2:]))
            for step in each.steps
        ]
        head = [each.name, "tasks", "from", "to", "queued", "starting up", "working", "ending"]
        lines += ["", *_table(head, rows)]
    lines += [
        "",
        "Compared with what the platforms delivered, figure by figure with stocks and channel totals, and equal: "
        + ", ".join(f"{level} {count:,}" for level, count in compared.items())
        + "; so are the units expected and reported of every division.",
        "",
        f"Load of the machine: {load:.1f} before, {os.getloadavg()[0]:.1f} after, on {os.cpu_count()} cores.",
    ]
    return "\n".join(lines) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; exit status 0 done, 1 failed."""
    parser = argparse.ArgumentParser(prog="python -m local.province", description=__doc__)
    parser.add_argument(
        "--home", type=Path, default=PROJECT / "var" / "province", help="folder (default: var/province)"
    )
    parser.add_argument("--prefix", default=PROVINCE, help="of the cities' codes (default: 37, all of them)")
    options = parser.parse_args(arguments)
    return run_told(lambda: run_province(options.home.resolve(), options.prefix, datetime.now(UTC)))


if __name__ == "__main__":
    sys.exit(main())
