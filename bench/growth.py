"""History: what a day costs after 36 months of days like it, against after one."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter

from bench.databases import Ground, checkpoint, connect, open_engine
from bench.day import DAY, Day, pack_files
from bench.indicators import run_statement
from bench.process import Measured, run_apart, say
from bench.product import archive_files, run_product
from bench.report import Line
from etl.catalog import load_catalog
from etl.periods import Period
from etl.plausibility import flag_day

MONTHS = 36


def measure_growth(ground: Ground, day: Day) -> list[Line]:
    """The archive to mart of a day, and the questions that are asked about its figures, with history and with little.

    day: of a part of the province. The days that are measured follow the first one; the months before are its copies.
    """
    later = iter(DAY + timedelta(days=number) for number in (1, 2, 3, 4, 7, 8, 9, 10, 11, 14, 15, 16))
    month = Period.around("month", DAY)
    runs: dict[int, list[Measured]] = {1: [], MONTHS: []}
    with ground.warehouse("bench_growth") as database:
        _bring(ground, day, DAY)
        stored = 0
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
            count, size = conn.execute(
                "SELECT count(*), pg_size_pretty(pg_database_size(current_database())) FROM core.submission"
            ).fetchone() or (0, "")
    words = f"{len(day.units):,} units a day; {count:,} submissions in the end, {size}"
    return [
        _line("archive to mart", runs, lambda run: run.total - run.seconds["flags"], words),
        _line("flags of the day", runs, lambda run: run.seconds["flags"], "their window is 91 days"),
    ]


def _line(
    what: str, runs: dict[int, list[Measured]], seconds: Callable[[Measured], float], words: str
) -> Line:
    one, many = (min(map(seconds, measured)) for measured in runs.values())
    return Line(
        f"history: {what} after {MONTHS} months / after one",
        many / one,
        f"{many:.2f} s, after one {one:.2f} s; {words}",
        at_most=1.1,
    )


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
