"""The province's monthly table with every village, from the marts to the workbook, in a process that has loaded nothing
else."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path
from time import perf_counter

from bench.process import Measured, peak
from etl.catalog import load_catalog
from etl.periods.period import Period
from etl.reports.compose import compose_table
from etl.reports.workbook import write_workbook
from etl.settings import Settings
from etl.warehouse import open_warehouse

REPORT = "monthly-villages"


def write_villages(url: str, month: Period) -> Measured:
    """Read the table and write it into a folder that is then removed."""
    engine, catalog = open_warehouse(Settings(Path("/nonexistent"), url, "", None)), load_catalog(None)
    begun = perf_counter()
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as conn:
        table = compose_table(conn, catalog, catalog.reports[REPORT], None, month)
    read = perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        write_workbook(table, Path(folder), date(2026, 4, 8))
        written = perf_counter()
    return Measured({"read": read - begun, "write": written - read}, peak())
