"""The province's monthly table with every village, from the marts to the workbook: seconds and memory of a process
of its own, of which at most 60 s and 300 MB are asked."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path
from time import perf_counter

from bench.databases import Ground, connect, open_engine
from bench.indicators import MONTH, run_statement
from bench.process import Measured, peak, run_apart, say
from bench.report import Line, seconds_of
from etl.catalog import load_catalog
from etl.reports.compose import compose_table
from etl.reports.workbook import write_workbook

REPORT = "monthly-villages"
SECONDS, MEGABYTES = 60, 300


def measure_villages(ground: Ground, database: str) -> list[Line]:
    """Composing and writing the table of the month in the database, against what it may take."""
    say("every village's month as a workbook")
    with connect(ground.server, database) as conn:
        query = "SELECT period_id FROM mart.period WHERE period = %s"
        (number,) = conn.execute(query, (MONTH.name,)).fetchone()  # type: ignore[misc]
        run_statement(conn, "true_total", day=MONTH.ends_on, period_id=number)
        conn.autocommit = True
        conn.execute("ANALYZE")
    run = run_apart(write_villages, ground.server.url(database))
    what = "the province's month with every village as a workbook"
    megabytes = run.peak / (1 << 20)
    return [
        Line(f"{what} / {SECONDS} s", run.total / SECONDS, seconds_of(run.seconds), at_most=1),
        Line(f"{what}, memory / {MEGABYTES} MB", megabytes / MEGABYTES, f"{megabytes:.0f} MB", at_most=1),
    ]


def write_villages(url: str) -> Measured:
    """Read the table and write it into a folder that is then removed."""
    engine, catalog = open_engine(url), load_catalog(None)
    begun = perf_counter()
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as conn:
        table = compose_table(conn, catalog, catalog.reports[REPORT], None, MONTH)
    read = perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        write_workbook(table, Path(folder), date(2026, 4, 8))
        written = perf_counter()
    return Measured({"read": read - begun, "write": written - read}, peak())
