"""The province's monthly table with every village, from the marts to the workbook: seconds and memory of a process of its
own, of which at most 60 s and 300 MB are asked."""

from __future__ import annotations

import tempfile
import time
from datetime import date
from pathlib import Path

from bench.databases import connect, create, drop
from bench.further import Ratio
from bench.indicators import PROVINCE, make_month, run_statement
from bench.process import Measured, peak, run_apart
from etl.catalog import load_catalog
from etl.periods import Period
from etl.reports.compose import compose_table
from etl.reports.workbook import write_workbook
from etl.settings import Settings
from etl.warehouse import ServerAddress, open_warehouse

MONTH = Period.parse("2026-03")
REPORT = "monthly-villages"
SECONDS, MEGABYTES = 60, 300


def measure_villages(server: ServerAddress, template: str) -> Ratio:
    """Composing and writing the table against the time that it may take.

    template: a database with schema, divisions and the registered catalogue.
    """
    database = "bench_villages"
    create(server, database, template)
    with connect(server, database) as conn:
        run_statement(conn, "batch")
        make_month(conn, MONTH, PROVINCE)
        (number,) = conn.execute(
            "SELECT period_id FROM mart.period WHERE period = %s", (MONTH.name,)
        ).fetchone()  # type: ignore[misc]
        run_statement(conn, "true_total", day=MONTH.ends_on, period_id=number)
        conn.commit()
        conn.autocommit = True
        conn.execute("ANALYZE")
    measured = run_apart(_write, server.url(database))
    drop(server, database)
    words = (
        f"{measured.total:.1f} s (reading {measured.seconds['read']:.1f} s, writing {measured.seconds['write']:.1f} s),"
        f" {measured.peak / 2**20:.0f} MB of {MEGABYTES} MB"
    )
    return Ratio(
        f"the province's month with every village as a workbook / {SECONDS} s",
        "≤ 1",
        measured.total / SECONDS,
        words,
    )


def _write(url: str) -> Measured:
    engine = open_warehouse(Settings(Path("/nonexistent"), url, "", None))
    catalog = load_catalog(None)
    begun = time.perf_counter()
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as conn:
        table = compose_table(conn, catalog, catalog.reports[REPORT], None, MONTH)
    read = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        write_workbook(table, Path(folder), date(2026, 4, 8))
        written = time.perf_counter()
    return Measured({"read": read - begun, "write": written - read}, peak())
