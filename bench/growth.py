"""History: what a day costs after 36 months of days like it, against after one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter

from bench.databases import Ground, checkpoint, connect, open_engine
from bench.day import DAY, FIRST_CITY, Day, cities_of, declare, pack_files, read_divisions
from bench.indicators import run_statement
from bench.process import Measured, run_apart, say
from bench.product import archive_files, run_product
from bench.report import Line
from etl.catalog import load_catalog
from etl.periods import Period
from etl.plausibility import flag_day

MONTHS, WINDOW_MONTHS = 36, 5
"""After so many months the window of 91 days, in which the flags of a day look back, is full."""


def measure_growth(ground: Ground, day: Day) -> list[Line]:
    """The archive to mart of a day, and the questions that are asked about its figures, with history and with little.

    day: of the first city. The days that are measured follow the first one; the months before are its copies.
    """
    later = (DAY + timedelta(days=number) for number in (1, 2, 3, 4, 7, 8, 9, 10, 11, 14, 15, 16))
    month, stored = Period.around("month", DAY), 0
    runs: dict[int, list[Measured]] = {1: [], WINDOW_MONTHS: [], MONTHS: []}
    with _only_first_city(), ground.warehouse("bench_growth") as database:
        _bring(ground, day, DAY)
        for months, measured in runs.items():
            say(f"a day after {months} months")
            with connect(ground.server, database) as conn:
                for _ in range(months - stored):
                    month = month.previous()
                    conn.execute("SELECT core.ensure_month(%s)", (month.starts_on,))
                    run_statement(conn, "history", first=month.starts_on, last=month.ends_on, day=DAY)
            stored = months
            with connect(ground.server, database, autocommit=True) as conn:
                conn.execute("VACUUM (ANALYZE)")
            measured += [_bring(ground, day, next(later)) for _ in range(ground.repeats)]
        with connect(ground.server, database) as conn:
            query = (
                "SELECT count(*), pg_size_pretty(pg_database_size(current_database())) FROM core.submission"
            )
            count, size = conn.execute(query).fetchone()  # type: ignore[misc]
    size = f"{len(day.units):,} units a day; in the end {count:,} submissions, {size}"
    return [
        _line("archive to mart", runs, 1, lambda run: run.total - run.seconds["flags"], size),
        _line(
            "flags of the day",
            runs,
            WINDOW_MONTHS,
            lambda run: run.seconds["flags"],
            "their window is full then",
        ),
    ]


def _line(
    what: str, runs: dict[int, list[Measured]], least: int, seconds: Callable[[Measured], float], words: str
) -> Line:
    few, many = (min(map(seconds, runs[months])) for months in (least, MONTHS))
    return Line(
        f"history: {what} after {MONTHS} months / after {least}",
        many / few,
        f"{many:.2f} s, after {least} {few:.2f} s; {words}",
        at_most=1.1,
    )


@contextmanager
def _only_first_city() -> Iterator[None]:
    """Nobody else is expected to report: the environment's catalogue declares the first city's platform alone."""
    before = os.environ["PLS_CATALOG"]
    with tempfile.TemporaryDirectory() as folder:
        declare(Path(folder) / "platforms", cities_of(read_divisions(), FIRST_CITY))
        os.environ["PLS_CATALOG"] = folder
        yield
    os.environ["PLS_CATALOG"] = before


def _bring(ground: Ground, day: Day, on: date) -> Measured:
    archive_files(pack_files(day, ground.catalog, on), on)
    checkpoint(ground.server, "bench_growth")
    return run_apart(run_whole_day, on)


def run_whole_day(on: date) -> Measured:
    """The day to the mart, then its flags."""
    run = run_product(on)
    engine, catalog = open_engine(os.environ["PLS_WAREHOUSE"]), load_catalog(Path(os.environ["PLS_CATALOG"]))
    started = perf_counter()
    flag_day(engine, catalog, on)
    seconds = {**run.seconds, "flags": perf_counter() - started}
    engine.dispose()
    return Measured(seconds, run.peak, run.inside)
