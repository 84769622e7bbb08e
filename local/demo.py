"""Three days and a month's end of one simulated city (Linyi, 371300) through a real Airflow into tables.

python -m local.demo [--home FOLDER] [--keep]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from etl.clock import SHANGHAI
from etl.periods import Period
from etl.rounding import percent, spelled
from etl.settings import DIVISIONS_FILE, Settings
from etl.warehouse import WarehouseError, embedded_server, open_warehouse, run_sql
from local.api import Api, ApiError, Run
from local.stack import PROJECT, Stack, StackError

DAG, MONTHLY, PERIODS = "daily_statistics", "monthly_stocks", "period_indicators"
CITY = "371300000000"
DAYS = 3
RUN_SECONDS = 480
DUE = (18, 30)  # when the DAG's own run of a day starts, Asia/Shanghai


class DemoError(Exception):
    """The demo cannot go on; the message says why."""


@dataclass
class Watch:
    """Tells how long each part took. since: time.monotonic() of the last part's end."""

    since: float

    def lap(self, words: str) -> None:
        """Print what is done, and the seconds that it took."""
        now = time.monotonic()
        print(f"  {now - self.since:4.0f} s  {words}", flush=True)
        self.since = now


def newest_days(now: datetime) -> list[date]:
    """The newest days whose daily run is due at `now` (with time zone), oldest first.

    Airflow makes the run of the newest one itself as soon as the DAG is switched on; the others are a backfill.
    """
    local = now.astimezone(SHANGHAI)
    last = local.date() if (local.hour, local.minute) >= DUE else local.date() - timedelta(days=1)
    return [last - timedelta(days=back) for back in reversed(range(DAYS))]


def run_demo(home: Path, keep: bool, now: datetime) -> None:
    """Run the demo below `home`, which is emptied first; with `keep`, wait for Ctrl-C before everything is stopped.

    Raises DemoError, StackError, ApiError or WarehouseError in words for a person.
    """
    began = time.monotonic()
    watch = Watch(began)
    days = newest_days(now)
    month = Period.around("month", days[-1]).previous()
    stack = Stack.from_env(home)
    print(
        f"Public legal services of Linyi (临沂), {days[0]} to {days[-1]}; everything goes to {_short(home)}"
    )
    stack.refuse_taken_port()
    _empty(stack)

    server = embedded_server(home)
    try:
        server.ensure_database("hotline")
        _etl(home, "init")
        _etl(home, "divisions", "load", str(DIVISIONS_FILE))
        watch.lap("PostgreSQL runs, the warehouse is made, the divisions of Shandong are in")
        with _platforms(home, days, month, server.url("hotline")) as connections:
            watch.lap("the simulated platforms of Linyi serve HTTP, SFTP, workbooks and a database")
            stack = Stack.from_env(home, connections)
            stack.start()
            watch.lap(f"Airflow is healthy on {stack.url}")
            _run_days(stack, days, month, watch)
            _show_results(home, days, month)
            _write_portal(home, days, watch)
            print(f"\nDone in {time.monotonic() - began:.0f} s.", flush=True)
            if keep:
                _wait_for_people(stack)
    finally:
        stack.stop()
    print("Airflow, platforms and PostgreSQL are stopped; the files stay.")


def _empty(stack: Stack) -> None:
    marker = stack.home / ".demo"
    if stack.home.exists() and any(stack.home.iterdir()):
        if not marker.exists():
            raise DemoError(
                f"{stack.home} is not empty and not of an earlier demo. Name another folder: --home"
            )
        stack.stop()
        shutil.rmtree(stack.home)
    stack.home.mkdir(parents=True, exist_ok=True)
    marker.touch()


def _etl(home: Path, *words: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "etl", *words],
        cwd=PROJECT,
        env=os.environ | _settings(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if ended.returncode != 0:
        raise DemoError(f"`python -m etl {' '.join(words)}` failed:\n{ended.stdout}{ended.stderr}")


def _settings(home: Path) -> dict[str, str]:
    return {"PLS_HOME": str(home), "PLS_WAREHOUSE": "embedded", "PLS_ARCHIVE": "", "PLS_CATALOG": ""}


@contextmanager
def _platforms(home: Path, days: list[date], month: Period, hotline_url: str) -> Iterator[Path]:
    """Serve the platforms meanwhile; gives the file of their connections."""
    command = [
        sys.executable,
        "-m",
        "simulator",
        "serve",
        "--home",
        str(home / "platforms"),
        "--prefix",
        "3713",
    ]
    command += ["--seed", "7", "--start", days[0].isoformat(), "--days", str(len(days))]
    command += ["--month", month.starts_on.isoformat(), "--hotline-url", hotline_url]
    log = home / "platforms.log"
    with log.open("w") as errors:
        serving = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=os.environ | _settings(home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    try:
        assert serving.stdout is not None
        ready = serving.stdout.readline()
        if not ready:
            raise DemoError(f"The simulated platforms did not start: {log.read_text()[-500:]}")
        yield Path(json.loads(ready)["connections"])
    finally:
        serving.terminate()
        try:
            serving.wait(timeout=20)
        except subprocess.TimeoutExpired:
            serving.kill()


def _run_days(stack: Stack, days: list[date], month: Period, watch: Watch) -> None:
    with Api(stack) as api:
        for dag in (PERIODS, MONTHLY, DAG):
            api.unpause(dag)
        api.backfill(DAG, days[0], days[-2])
        runs = _wait(api, DAG, [day.isoformat() for day in days], watch)
        api.start(MONTHLY, {}, partition=month.name)
        runs += _wait(api, MONTHLY, [month.name], watch)
        shown = {name for day in days for name in (day.isoformat(), f"{day:%Y-%m}", f"{day:%Y}")}
        runs += _wait(api, PERIODS, sorted(shown | {month.name}), watch)
    if any(run.state != "success" for run in runs):
        raise DemoError(f"Not every run is complete. Logs of the tasks: {stack.logs}")


def _wait(api: Api, dag: str, partitions: list[str], watch: Watch) -> list[Run]:
    runs = api.wait(dag, partitions, RUN_SECONDS)
    for run in runs:
        failed = api.failed_tasks(dag, run.run_id)
        print(f"          {run.partition}: {run.state} after {run.seconds:.0f} s {' '.join(failed)}".rstrip())
    watch.lap(f"the scheduler ran {dag}")
    return runs


def _show_results(home: Path, days: list[date], month: Period) -> None:
    engine = open_warehouse(Settings(home, "embedded", str(home / "archive"), None))
    query = sa.text((PROJECT / "local" / "demo.sql").read_text(encoding="utf-8"))
    with engine.connect() as conn:
        lines = conn.execute(query, {"first": days[0], "last": days[-1]}).all()
        indicators = run_sql(conn, "report/indicators", {"period": month.name, "division": CITY}).all()
    engine.dispose()
    if not lines:
        raise DemoError("The marts are empty although the runs succeeded.")
    print(
        f"\n  {'day':12}{'level':10}{'divisions':>10}{'rows':>10}{'reported':>10}{'expected':>10}{'consultations':>15}"
    )
    for line in lines:
        print(
            f"  {line.stat_date!s:12}{line.level:10}{line.divisions:10,}{line.mart_rows:10,}"
            f"{line.reported:10,}{line.expected:10,}{line.consultations:15,}"
        )
    print(f"\n  Indicators of {month.name} with a target ({CITY}), of {len(indicators)} computed:\n")
    told = [each for each in indicators if each.indicator.startswith("sd_") and each.target is not None]
    for each in [each for each in told if each.value is not None][:12]:
        value, target = (percent(x) if each.unit == "%" else spelled(x, 2) for x in (each.value, each.target))
        print(f"  {value:>10}  (target {target:>9}, {each.status:8})  {each.indicator_name}")
    if not indicators:
        raise DemoError(f"No indicator of {month.name} was computed.")
    print()
    for words, pattern in (("Workbook", "reports/**/*.xlsx"), ("Data Docs", "**/index.html")):
        files = sorted(home.glob(pattern))
        for file in files:
            print(f"  {words:10} {_short(file)}")
        if not files:
            raise DemoError(f"No {words.lower()} was written below {home}.")


def _write_portal(home: Path, days: list[date], watch: Watch) -> None:
    folder = home / "reports" / "portal"
    _etl(home, "portal", "export", "--period", f"{days[-1]:%Y-%m}", "--division", CITY, "--out", str(folder))
    print(f"  {'Portal':10} {_short(folder / 'index.html')}")
    watch.lap("the portal's pages are written as files")


def _wait_for_people(stack: Stack) -> None:
    print(f"Airflow: {stack.url}, user admin, the password stands in {_short(stack.password_file)}")
    print(f"Portal:  {stack.portal_url}, the same user and password")
    print("Ctrl-C stops everything.", flush=True)
    try:
        signal.pause()
    except KeyboardInterrupt:
        print()


def _short(path: Path) -> str:
    return os.path.relpath(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; exit status 0 done, 1 failed."""
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument(
        "--home", type=Path, default=PROJECT / "var" / "demo", help="folder (default: var/demo)"
    )
    parser.add_argument("--keep", action="store_true", help="leave everything running until Ctrl-C")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run_demo(options.home.resolve(), options.keep, datetime.now(UTC))
    except (DemoError, StackError, ApiError, WarehouseError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
