"""Three days and a month's end of one simulated city (Linyi, 371300) through a real Airflow into tables.

python -m local.demo [--home FOLDER] [--keep]
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from etl.periods import Period
from etl.rounding import percent, spelled
from etl.settings import Settings
from etl.warehouse import open_warehouse, run_sql
from local.api import Api, Run
from local.simulated import (
    Simulated,
    SimulatedError,
    Watch,
    newest_due,
    run_etl,
    run_simulated,
    run_told,
    short,
)
from local.stack import PROJECT, Stack

DAG, MONTHLY, PERIODS = "daily_statistics", "monthly_stocks", "period_indicators"
CITY = "371300000000"
DAYS = 3
RUN_SECONDS = 480


def newest_days(now: datetime) -> list[date]:
    """The newest days whose daily run is due at `now` (with time zone), oldest first. Airflow itself goes on
    with the last one after a backfill of the others."""
    last = newest_due(now)
    return [last - timedelta(days=back) for back in reversed(range(DAYS))]


def run_demo(home: Path, keep: bool, now: datetime) -> None:
    """Run the demo below `home`, which is emptied first; with `keep`, wait for Ctrl-C before everything is stopped.

    Raises SimulatedError, StackError, ApiError or WarehouseError in words for a person.
    """
    began = time.monotonic()
    watch = Watch(began)
    days = newest_days(now)
    month = Period.around("month", days[-1]).previous()
    print(f"Public legal services of Linyi (临沂), {days[0]} to {days[-1]}; everything goes to {short(home)}")
    with run_simulated(home, Simulated("Linyi", "3713", days, month), watch) as running:
        _run_days(running.stack, days, month, watch)
        _show_results(home, days, month)
        _write_portal(home, days, watch)
        print(f"\nDone in {time.monotonic() - began:.0f} s.", flush=True)
        if keep:
            _wait_for_people(running.stack)


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
        raise SimulatedError(f"Not every run is complete. Logs of the tasks: {stack.logs}")


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
        raise SimulatedError("The marts are empty although the runs succeeded.")
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
        raise SimulatedError(f"No indicator of {month.name} was computed.")
    print()
    for words, pattern in (("Workbook", "reports/**/*.xlsx"), ("Data Docs", "**/index.html")):
        files = sorted(home.glob(pattern))
        for file in files:
            print(f"  {words:10} {short(file)}")
        if not files:
            raise SimulatedError(f"No {words.lower()} was written below {home}.")


def _write_portal(home: Path, days: list[date], watch: Watch) -> None:
    folder = home / "reports" / "portal"
    run_etl(
        home, "portal", "export", "--period", f"{days[-1]:%Y-%m}", "--division", CITY, "--out", str(folder)
    )
    print(f"  {'Portal':10} {short(folder / 'index.html')}")
    watch.lap("the portal's pages are written as files")


def _wait_for_people(stack: Stack) -> None:
    print(f"Airflow: {stack.url}, user admin, the password stands in {short(stack.password_file)}")
    print(f"Portal:  {stack.portal_url}, the same user and password")
    print("Ctrl-C stops everything.", flush=True)
    try:
        signal.pause()
    except KeyboardInterrupt:
        print()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; exit status 0 done, 1 failed."""
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument(
        "--home", type=Path, default=PROJECT / "var" / "demo", help="folder (default: var/demo)"
    )
    parser.add_argument("--keep", action="store_true", help="leave everything running until Ctrl-C")
    options = parser.parse_args(arguments)
    return run_told(lambda: run_demo(options.home.resolve(), options.keep, datetime.now(UTC)))


if __name__ == "__main__":
    sys.exit(main())
