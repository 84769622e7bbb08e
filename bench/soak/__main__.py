"""`python -m bench.soak`: hours of runs through a real Airflow while platforms hang and misbehave, tasks, workers and
components are killed, PostgreSQL is cut off, clocks jump and the archive's disk is full; then it is quiet, and
everything must be as if nothing had been: figures, ledger, connections, memory.

First stage: many days, each until it has succeeded, as the platforms have them at first. Then what is late or restated
comes: second stage, `restatements` and all days again and again until the time is over, and once more when it is quiet.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import httpx
import pandas as pd
import psycopg

from bench.soak.disturbances import KINDS, PAUSE_S, Disturber
from bench.soak.site import (
    CLEAN,
    COUNTIES,
    SCENARIOS,
    TOWNSHIPS,
    Keeper,
    Played,
    environment,
    played,
    played_days,
    pull_clean,
)
from bench.soak.vitals import GROWTH, MORE_FILES, SLACK_MB, Vitals
from etl.archive import UNFINISHED
from etl.pull import PLATFORMS_AT_ONCE
from etl.warehouse import WAREHOUSE_DATABASE
from local.api import Api, ApiError
from local.stack import COMPONENTS, PROJECT
from simulator.plan import FIRST, SECOND
from simulator.truth import Truth

DAILY, PERIODS, RESTATEMENTS = "daily_statistics", "period_indicators", "restatements"
DAYS_AN_HOUR = 30
AT_ONCE = 3
STUCK_S = 1_800
"""Airflow gives a task that was lost in the queue up after 600 s, looks every 120 s, and its clock may have been 600 s
ahead when it was queued."""
QUIET_S = 40
LEAST_SECOND_S = 300
LEAST_DAYS = 12
"""Fewer have no room for all faults."""
LONG_LIFE = 1 / 8
"""Of the soak: from so long a life on, a process is judged."""
VIEWS = (
    "mart.daily_statistics", "mart.submission_status", "mart.ledger", "mart.period_statistics", "mart.indicator_value",
    "quality.quarantine", "quality.flag WHERE state <> 'closed'",
)  # fmt: skip
"""A flag that is closed is history: it keeps the sums that stood when it was asked, and whether it was asked at all
depends on which day came first."""
OUR_OWN = ["batch_id", "quarantine_id", "flag_id", "pulled_at", "known_at", "closed_at", "score"]
"""Our clock and surrogate numbers, which a retry may give anew; and a flag's place in the queue, which is its share of
what was rolled up when it was asked: of days that come in one after the other, other days than of days at once."""
PAGE = PROJECT / "docs" / "soak.md"
HEAD = """# Soak

Written by `make soak`. {hours:g} hours of runs through Airflow (LocalExecutor) on simulated platforms of {counties}
counties with {townships} townships each and their villages: {days} days, in which {scenarios} scenarios have planted
{planted} faults of rows and files (seed {seed}). Something goes wrong {first} to {last} s after the last thing that
went wrong, by a plan that the seed decides; a component that has died is started again, a run that has failed is run
again. First every day until it has succeeded; then late and restated submissions come, and `restatements` and all days
run again and again; then it is quiet, and all days run once more. The clean run is the same days by `python -m etl`'s
own functions in another database, with nothing in the way.
"""


@dataclass
class Verdict:
    """One thing that must hold, and the figures that it was judged by."""

    what: str
    holds: bool
    words: str


@dataclass
class Driver:
    """Starts runs and waits for them, whatever is down just now. ended_by_hand: runs that did not end by themselves."""

    played: Played
    ended_by_hand: int = 0
    refused: int = 0
    _since: dict[int, float] = field(default_factory=dict)

    def last_run(self) -> int:
        """Number of the newest run of all."""
        return self.rows("SELECT coalesce(max(id), 0) FROM dag_run")[0][0]

    def unpause(self, dag: str) -> None:
        """Switch a DAG on."""
        self._patiently(lambda: self._ask(lambda api: api.unpause(dag)))

    def succeed(self, dag: str, wanted: Sequence[str], until: Callable[[], bool] = lambda: False) -> None:
        """Run a DAG for partitions ('' is none) until each has had a successful run, or until it is enough and none of
        them is going."""
        first = self.last_run()
        query = (
            "SELECT id, run_id, coalesce(partition_key, ''), state FROM dag_run WHERE dag_id = %s AND id > %s"
        )
        while True:
            runs = self.rows(query, dag, first)
            going = [run for run in runs if run[3] in ("queued", "running")]
            busy = {partition for _, _, partition, _ in going}
            done = {partition for _, _, partition, state in runs if state == "success"}
            waiting = [] if until() else [each for each in wanted if each not in done | busy]
            if not waiting and not busy.intersection(wanted):
                return
            for partition in waiting[: max(0, AT_ONCE - len(going))]:
                self._try(lambda api, key=partition or None: api.start(dag, {}, partition=key))
            for number, run_id, _, state in going:
                self._end_stuck(dag, number, run_id, state)
            time.sleep(2)

    def settle(self, seconds: float) -> bool:
        """Wait until no run has been going for ten seconds; False when some still is after so long."""
        deadline, quiet = time.monotonic() + seconds, 0
        while quiet < 5 and time.monotonic() < deadline:
            (going,) = self.rows("SELECT count(*) FROM dag_run WHERE state IN ('queued', 'running')")[0]
            quiet = 0 if going else quiet + 1
            time.sleep(2)
        return quiet == 5

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of a query of Airflow's own database."""

        def ask() -> list[tuple[Any, ...]]:
            with self.played.connect("airflow") as conn:
                return conn.execute(query, values).fetchall()

        return self._patiently(ask)

    def _end_stuck(self, dag: str, number: int, run_id: str, state: str) -> None:
        since = self._since.setdefault(number, time.monotonic())
        if state == "running" and time.monotonic() - since > STUCK_S:
            self.played.journal.say(f"{dag} {run_id} does not end: marked as failed by hand")
            self._try(lambda api: api.end(dag, run_id))
            self.ended_by_hand += 1
            self._since[number] = time.monotonic()

    def _try(self, ask: Callable[[Api], object]) -> None:
        try:
            self._ask(ask)
        except (ApiError, httpx.HTTPError):
            self.refused += 1

    def _ask(self, ask: Callable[[Api], object]) -> None:
        with Api(self.played.stack) as api:
            ask(api)

    def _patiently(self, ask: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + 600
        while True:
            try:
                return ask()
            except (psycopg.Error, ApiError, httpx.HTTPError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)


@click.command()
@click.option(
    "--hours", type=click.FloatRange(0.1), default=2, show_default=True, help="How long it is disturbed."
)
@click.option(
    "--seed", type=int, default=None, help="To be disturbed as an earlier time. Default: by chance."
)
def main(hours: float, seed: int | None) -> None:
    """Disturb runs for hours and write docs/soak.md; exit status 1 when something does not hold afterwards."""
    seed = random.randrange(1_000_000) if seed is None else seed
    days = played_days(max(LEAST_DAYS, round(hours * DAYS_AN_HOUR)), datetime.now(UTC))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with played(days, seed) as site:
        page, verdicts = _soak(site, days, hours)
        PAGE.write_text(page, encoding="utf-8")
        click.echo(page)
        if not all(verdict.holds for verdict in verdicts):
            raise click.ClickException(f"Not everything holds. Everything is in {site.home}")


def _soak(site: Played, days: list[date], hours: float) -> tuple[str, list[Verdict]]:
    names = [day.isoformat() for day in days]
    driver, vitals = Driver(site), Vitals(site)
    counts: Counter[str] = Counter()
    load = os.getloadavg()[0]
    with Keeper(site) as keeper:
        for dag in (PERIODS, DAILY):
            driver.unpause(dag)
        driver.settle(600)  # the newest day's own run
        with vitals:
            time.sleep(QUIET_S)
            at_first = vitals.backends()

            site.journal.say("first stage: every day until it has succeeded")
            began = time.monotonic()
            with Disturber(site, "first", counts):
                driver.succeed(DAILY, names)
            disturbed = time.monotonic() - began
            driver.settle(1200)
            site.journal.say(f"after {disturbed:,.0f} s every day has succeeded; the clean run")
            first_wrong = _differences(site, days, site.simulation.truth(FIRST))
            pull_clean(site, _rolled_up(site), again=False)

            site.platforms.advance()
            site.journal.say("second stage: what is late and restated comes")
            driver.unpause(RESTATEMENTS)
            began, rounds = time.monotonic(), 0
            over = began + max(hours * 3600 - disturbed, LEAST_SECOND_S)
            with Disturber(site, "second", counts):
                driver.succeed(RESTATEMENTS, [""])
                while time.monotonic() < over:
                    driver.succeed(DAILY, names, until=lambda: time.monotonic() > over)
                    driver.succeed(RESTATEMENTS, [""], until=lambda: time.monotonic() > over)
                    rounds += 1
            disturbed += time.monotonic() - began

            site.journal.say("it is quiet: all days once more, and the clean run")
            settled = driver.settle(1200)
            driver.succeed(RESTATEMENTS, [""])
            # Also days of which only a row came, among what was listed by time: the clean run asks for them too.
            driver.succeed(DAILY, [day.isoformat() for day in _rolled_up(site)])
            settled = settled and driver.settle(1200)
            pull_clean(site, _rolled_up(site), again=True)
            time.sleep(QUIET_S)
            at_last = vitals.backends()
    site.stack.stop_components()
    time.sleep(2)
    after = vitals.backends()
    site.journal.say("the components are stopped; verdicts")
    verdicts = [
        *_figures(site, days, first_wrong),
        _verified(site),
        _archive(site, sum(count for name, count in counts.items() if "killed" in name)),
        _connections(at_first, at_last, after),
        *_flat(vitals, disturbed),
        Verdict("Every run ends", settled and not driver.ended_by_hand, f"{driver.ended_by_hand} by hand"),
        Verdict("Everything was disturbed", set(counts) == set(KINDS), f"{counts.total()} times"),
    ]
    for verdict in verdicts:
        site.journal.say(f"{'holds' if verdict.holds else 'DOES NOT HOLD'}: {verdict.what}: {verdict.words}")
    page = "\n".join(
        [
            HEAD.format(
                hours=round(disturbed / 3600, 2),
                counties=len(COUNTIES),
                townships=TOWNSHIPS,
                days=len(days),
                planted=f"{sum(site.simulation.plan.planted.values()):,}",
                scenarios=len(SCENARIOS),
                seed=site.seed,
                first=PAUSE_S[0],
                last=PAUSE_S[1],
            ),
            "| must hold | holds | |",
            "|---|---|---|",
            *(f"| {each.what} | {'yes' if each.holds else '**no**'} | {each.words} |" for each in verdicts),
            "",
            "| disturbance | times |",
            "|---|---|",
            *(f"| {name} | {counts[name]} |" for name in KINDS),
            "",
            *_runs(driver, keeper, vitals, rounds),
            "",
            _machine(site, load),
            "",
        ]
    )
    return page, verdicts


# --- what must hold --------------------------------------------------------------------------------------------


def _figures(site: Played, days: list[date], first_wrong: int) -> list[Verdict]:
    truth = site.simulation.truth(SECOND)
    wrong = _differences(site, days, truth)
    verdicts = [
        Verdict(
            "`mart.daily_statistics` is the simulator's truth",
            not first_wrong and not wrong and len(truth.daily) > 1000,
            f"{first_wrong} of {len(site.simulation.truth(FIRST).daily):,} figures differ after the first stage,"
            f" {wrong} of {len(truth.daily):,} at the end",
        )
    ]
    for view in VIEWS:
        disturbed, clean = (_content(site, database, view) for database in (WAREHOUSE_DATABASE, CLEAN))
        more, fewer = disturbed - clean, clean - disturbed
        _keep(site, view, more, fewer)
        verdicts.append(
            Verdict(
                f"`{view}` is the clean run's",
                not more and not fewer and clean.total() > 0,
                f"{clean.total():,} rows, {more.total()} only disturbed, {fewer.total()} only clean",
            )
        )
    return verdicts


def _differences(site: Played, days: list[date], truth: Truth) -> int:
    query = (
        "SELECT division_code, stat_date, measure, channel, value FROM mart.daily_statistics"
        " WHERE stat_date = ANY(%s)"
    )
    with site.connect(WAREHOUSE_DATABASE) as conn:
        found = conn.execute(query, (days,))
        names = [column.name for column in found.description or ()]
        wrong = truth.differences(pd.DataFrame(found.fetchall(), columns=names))
    if len(wrong):
        wrong.to_csv(site.home / f"wrong-{len(wrong)}.csv")
    return len(wrong)


def _content(site: Played, database: str, view: str) -> Counter[str]:
    """The rows of a view as text, without what is our own."""
    with site.connect(database) as conn:
        conn.execute("SET timezone TO 'Asia/Shanghai'")
        asked = f"SELECT (to_jsonb(shown) - %s::text[])::text FROM (SELECT * FROM {view}) AS shown"
        rows = conn.execute(asked, (OUR_OWN,))
        return Counter(text for (text,) in rows)


def _keep(site: Played, view: str, more: Counter[str], fewer: Counter[str]) -> None:
    """What differs, for whoever looks for the reason."""
    if more or fewer:
        lines = [f"+{row}" for row in sorted(more.elements())] + [
            f"-{row}" for row in sorted(fewer.elements())
        ]
        (site.home / f"differs-{view.split()[0]}.txt").write_text("\n".join(lines))


def _verified(site: Played) -> Verdict:
    ended = subprocess.run(
        [sys.executable, "-m", "etl", "verify", "--json"],
        cwd=PROJECT,
        env=os.environ | environment(site.home),
        capture_output=True,
        text=True,
    )
    if not ended.stdout.strip():
        return Verdict("`python -m etl verify` finds nothing", False, ended.stderr[-300:].replace("\n", " "))
    found = json.loads(ended.stdout)
    (site.home / "verify.json").write_text(ended.stdout)
    return Verdict(
        "`python -m etl verify` finds nothing: archive, ledger, roll-ups",
        ended.returncode == 0 and found["objects"] > 0,
        f"{found['objects']:,} objects, {found['days']} days, {found['periods']} periods,"
        f" {len(found['differences'])} differences",
    )


def _archive(site: Played, killed: int) -> Verdict:
    """Every object is what its name says, every document can be read; of what was begun, a process that was killed may
    have left as many pieces as it pulls platforms at once."""
    begun = list((site.archive / UNFINISHED).glob("*"))
    whole = [path for path in site.archive.rglob("*") if path.is_file() and path not in begun]
    damaged = [path for path in whole if not _is_whole(path)]
    return Verdict(
        "Nothing half-written is taken for whole in the archive",
        bool(whole) and not damaged and len(begun) <= killed * PLATFORMS_AT_ONCE,
        f"{len(whole):,} files, {len(damaged)} of them damaged; killed writers left {len(begun)} pieces without a name",
    )


def _is_whole(file: Path) -> bool:
    body = file.read_bytes()
    if "documents" not in file.parts:
        return hashlib.sha256(body).hexdigest() == file.name
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


def _connections(at_first: dict[str, int], at_last: dict[str, int], after: dict[str, int]) -> Verdict:
    first, last = at_first.get(WAREHOUSE_DATABASE, 0), at_last.get(WAREHOUSE_DATABASE, 0)
    return Verdict(
        "No connection to the warehouse is left open",
        last <= first and not after,
        f"{first} when idle at first, {last} when idle at the end (of Airflow's: {at_first.get('airflow', 0)} and"
        f" {at_last.get('airflow', 0)}), {sum(after.values())} to any database when the components are stopped",
    )


def _flat(vitals: Vitals, disturbed: float) -> list[Verdict]:
    """One verdict a component, on each of its processes that has lived long."""
    lives = vitals.lived(disturbed * LONG_LIFE)
    verdicts = []
    for name in sorted({life.name for life in lives}):
        mine = [life for life in lives if life.name == name]
        words = "; ".join(
            f"{life.megabytes(1):.0f} → {life.megabytes(3):.0f} MB,"
            f" {_to(*life.files(1))} → {_to(*life.files(3))} files in {life.seconds / 60:.0f} min"
            for life in sorted(mine, key=lambda life: -life.seconds)[:4]
        )
        verdicts.append(Verdict(f"{name} stays flat", all(life.is_flat for life in mine), words))
    judged = {life.name.split()[0] for life in lives}
    unjudged = sorted(set(COMPONENTS) - judged)
    words = (
        f"{len(lives)} processes of {len(judged)} components lived {disturbed * LONG_LIFE / 60:.0f} min; allowed from"
        f" the second to the last quarter of a life: {GROWTH - 1:.0%} and {SLACK_MB} MB, {MORE_FILES} more open files"
        " both when it has few (a tenth of the time) and when it has many"
    )
    if unjudged:
        words += f"; not one of {', '.join(unjudged)}"
    return [*verdicts, Verdict("Every component lived long enough to be judged", not unjudged, words)]


def _to(few: float, many: float) -> str:
    return f"{few:.0f}" if round(few) == round(many) else f"{few:.0f} to {many:.0f}"


# --- what happened ---------------------------------------------------------------------------------------------


def _runs(driver: Driver, keeper: Keeper, vitals: Vitals, rounds: int) -> list[str]:
    runs = driver.rows(
        "SELECT dag_id, count(*), count(*) FILTER (WHERE state = 'success'), count(*) FILTER (WHERE state = 'failed')"
        " FROM dag_run GROUP BY dag_id ORDER BY dag_id"
    )
    tries = driver.rows(
        "SELECT (SELECT count(*) FROM task_instance WHERE start_date IS NOT NULL),"
        " (SELECT count(*) FROM task_instance WHERE state = 'failed'), (SELECT count(*) FROM task_instance_history)"
    )[0]
    died = ", ".join(f"{name} {count}" for name, count in sorted(keeper.died.items()))
    return [
        "| DAG | runs | succeeded | failed |",
        "|---|---|---|---|",
        *(f"| {dag} | {all_:,} | {good:,} | {bad:,} |" for dag, all_, good, bad in runs),
        "",
        (
            f"{tries[0]:,} tasks, of which {tries[1]:,} failed for good; {tries[2]:,} tries that failed were repeated."
            f" {rounds} rounds over all days in the second stage. Started again after they had died: {died}"
            f" ({keeper.refused} starts did not succeed). {driver.refused} requests to Airflow were refused."
            f" The portal was asked for {vitals.pages.total():,} pages, of which {vitals.pages['200']:,} came."
            f" Reasons of failed tasks: {_reasons(driver.played)}."
        ),
    ]


def _reasons(site: Played) -> str:
    """What tasks failed of, by the kind of the exception, from their logs."""
    found: Counter[str] = Counter()
    for log in site.stack.logs.glob("dag_id=*/**/*.log"):
        for line in log.read_text(errors="replace").splitlines():
            if '"error_detail"' not in line:
                continue
            try:
                found[json.loads(line)["error_detail"][0]["exc_type"]] += 1
            except (ValueError, LookupError):
                found["unreadable"] += 1
    return ", ".join(f"{name} {count}" for name, count in found.most_common())


def _rolled_up(site: Played) -> list[date]:
    """Every day that the disturbed site has, among them those that Airflow has run by the time of day."""
    with site.connect(WAREHOUSE_DATABASE) as conn:
        return [day for (day,) in conn.execute("SELECT stat_date FROM mart.daily_rollup ORDER BY stat_date")]


def _machine(site: Played, load: float) -> str:
    with site.connect("postgres") as conn:
        ((server,),) = conn.execute("SHOW server_version").fetchall()
    return (
        f"Machine: {os.cpu_count()} cores, {platform.machine()}; load average {load:.1f} before,"
        f" {os.getloadavg()[0]:.1f} after. Python {platform.python_version()}, Airflow {version('apache-airflow')},"
        f" PostgreSQL {server}."
    )


if __name__ == "__main__":
    main()
