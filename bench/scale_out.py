"""`python -m bench.scale_out`: how much faster slow platforms are pulled with two hosts than with one."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click

import simulator.rest
from etl.clock import SHANGHAI
from etl.divisions.division_list import read_division_list
from etl.settings import DIVISIONS_FILE
from local.api import Api
from local.hosts import hosts_on_slow_platforms

DAG = "daily_statistics"
ANSWER_S = 20.0
PAGE = Path(__file__).resolve().parent.parent / "docs" / "scale-out.md"
HEAD = """# Two hosts

Written by `make crowds`. The {platforms} platforms of two cities, of which the {rest} county and city platforms take
{answer:.0f} s for each answer; in each county one township and its villages report by file. Airflow with
CeleryExecutor on Redis; each host is a worker of its own (two tasks at a time) with its own PLS_HOME; the archive is
at an S3 server (moto), the warehouse is reached by network. Hosts, servers, scheduler and platforms share the {cores}
cores of this machine, so only waiting can be shared out here, never computing: what is measured is that the hosts work
side by side. Seconds from the start of the first to the end of the last of a day's {tasks} pull-and-gate tasks.

| day | hosts | tasks per host | seconds |
|---|---|---|---|
"""


@click.command()
def main() -> None:
    """Measure days with one host and with two, and write docs/scale-out.md."""
    load = os.getloadavg()[0]
    last = datetime.now(UTC).astimezone(SHANGHAI).date() - timedelta(days=3)
    days = [last - timedelta(days=back) for back in range(5)]
    simulator.rest.SLOW_S = ANSWER_S
    with hosts_on_slow_platforms(days, _counties(), prefix="37") as played:
        hosts, simulation = played.hosts, played.simulation
        hosts.start_worker("first", "default,pulls")
        hosts.start_worker("second", "pulls")
        with Api(hosts.stack) as api:
            api.unpause(DAG)
            _measure(api, days[0])  # what is made once (partitions, caches) is made
            two = [_measure(api, day) for day in days[1:3]]
            hosts.stop_worker("second")
            one = [_measure(api, day) for day in days[3:5]]
    rest = [each for each in simulation.catalog.platforms.values() if each.family == "rest"]
    page = HEAD.format(
        platforms=len(simulation.catalog.platforms_of("daily")),
        rest=sum("daily" in each.datasets for each in rest),
        answer=ANSWER_S,
        cores=os.cpu_count(),
        tasks=sum(one[0][1].values()),
    )
    for name, shares, seconds in (*one, *two):
        share = ", ".join(f"{host} {count}" for host, count in sorted(shares.items()))
        page += f"| {name} | {len(shares)} | {share} | {seconds:.1f} |\n"
    times = [[seconds for *_, seconds in each] for each in (one, two)]
    page += (
        f"\nTwo hosts are {min(times[0]) / min(times[1]):.2f} times as fast as one (best of two days each;"
        f" worst of two: {max(times[0]) / max(times[1]):.2f}). Load of the machine: {load:.1f} before,"
        f" {os.getloadavg()[0]:.1f} after, on {os.cpu_count()} cores.\n"
    )
    click.echo(page)
    PAGE.write_text(page, encoding="utf-8")


def _measure(api: Api, day: date) -> tuple[str, dict[str, int], float]:
    """The day, how many of its pulls each host did, and the seconds that they took together."""
    run = api.wait_for(DAG, api.start(DAG, {}, partition=day.isoformat()), seconds=1200)
    pulls = api.pulls(DAG, run.run_id)
    if run.state != "success" or any(each["try_number"] != 1 for each in pulls):
        raise click.ClickException(
            f"{day} is no measurement: {run.state}, {api.failed_tasks(DAG, run.run_id)}"
        )
    starts, ends = (
        [datetime.fromisoformat(each[name]) for each in pulls] for name in ("start_date", "end_date")
    )
    shares: dict[str, int] = {}
    for each in pulls:
        shares[each["hostname"]] = shares.get(each["hostname"], 0) + 1
    took = (max(ends) - min(starts)).total_seconds()
    click.echo(f"{day}: {took:.1f} s, {shares}", err=True)
    return day.isoformat(), shares, took


def _counties() -> list[str]:
    """Those of Jinan and Qingdao."""
    divisions = read_division_list(DIVISIONS_FILE).table.itertuples(index=False)
    return [each.code for each in divisions if each.level == "county" and each.code[:4] in ("3701", "3702")]


if __name__ == "__main__":
    main()
