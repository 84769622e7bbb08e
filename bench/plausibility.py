"""`python -m bench.plausibility`: how many planted faults the rules of plausibility find, how often they are wrong, and
what a day costs."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter

import click
import pandas as pd
import psycopg
from sqlalchemy.engine import Engine

from bench.history import Months, Planter, draw_months, load_months
from bench.hits import match_faults
from bench.process import Measured, peak, run_apart
from etl.catalog import Catalog, load_catalog
from etl.divisions import load_divisions
from etl.plausibility import flag_day
from etl.register import register_catalog
from etl.settings import DIVISIONS_FILE, Settings
from etl.warehouse import ServerAddress, embedded_server, migrate, open_warehouse, stop_embedded

FIRST, START, LAST = date(2025, 11, 2), date(2026, 2, 2), date(2026, 3, 31)
"""Figures from the first day on; faults and judgement from the start on, over the Spring Festival, to the last day."""
SEED = 11
DATABASE = "plausibility"
PAGE = Path(__file__).resolve().parent.parent / "docs" / "plausibility.md"
NIL_VILLAGES = """
INSERT INTO core.submission (
    stat_date, unit_id, platform_id, batch_id, dataset, revision, received_at, known_from, is_nil, cells, figures,
    row_numbers
)
SELECT day.stat_date, village.division_id, 1, 1, 'daily', 1, now(), now(), true, '{}', '{}', '{}'
FROM generate_series(%s::date, %s::date, interval '1 day') AS day (stat_date)
CROSS JOIN (SELECT division_id FROM core.division_period WHERE level = 'village') AS village
WHERE extract(isodow FROM day.stat_date) < 6
    AND NOT EXISTS (
        SELECT FROM core.submission
        WHERE submission.stat_date = day.stat_date::date AND submission.unit_id = village.division_id
    )
"""
YEAR_BEFORE = """
INSERT INTO core.submission (
    stat_date, unit_id, platform_id, batch_id, dataset, revision, received_at, known_from, is_nil, cells, figures,
    row_numbers
)
SELECT
    stat_date - 364 * %s, unit_id, platform_id, batch_id, dataset, revision, received_at, known_from, is_nil, cells,
    figures, row_numbers
FROM core.submission
WHERE stat_date BETWEEN %s AND %s AND cardinality(cells) > 0
"""


@click.command(help="Measure hits, false alarms and cost on a province's months, and write docs/plausibility.md.")
@click.option("--flags", type=click.Path(path_type=Path), help="Keep the flags in this file (CSV).")
def main(flags: Path | None) -> None:
    """Draw, plant, load, judge every day, count; then time a day among all villages' nil reports and more years."""
    catalog = load_catalog(None)
    _say("drawing")
    months = draw_months(catalog, pd.read_csv(DIVISIONS_FILE, dtype=str), FIRST, LAST, SEED)
    Planter(months, START, SEED).plant()
    with _server() as server:
        engine = _make_warehouse(server, catalog, months)
        days = [START + timedelta(days=number) for number in range((LAST - START).days + 1)]
        for day in days:
            flag_day(engine, catalog, day)
            _say(f"judged {day}")
        found = _read_flags(server)
        if flags is not None:
            found.to_csv(flags, index=False)
        page = describe_hits(catalog, months, days, found)
        page += _cost(server, months)
    click.echo(page)
    PAGE.write_text(page, encoding="utf-8")


def _cost(server: ServerAddress, months: Months) -> str:
    """Seconds and memory of one day: as it is, among all villages' reports, and with years before."""
    url = server.url(DATABASE)
    lines = ["| what is stored | submissions | seconds a day | memory peak |", "| --- | --- | --- | --- |"]

    def measure(words: str) -> None:
        with _connect(server) as conn:
            conn.execute("ANALYZE core.submission")
            count = conn.execute("SELECT count(*) FROM core.submission").fetchone()[0]  # type: ignore[index]
        run = run_apart(run_flags, url)
        _say(f"{words}: {run.total:.1f} s")
        lines.append(f"| {words} | {count:,} | {run.total:.1f} | {run.peak / (1 << 20):,.0f} MB |")

    measure("all that is not a village's nil report")
    with _connect(server) as conn:
        conn.execute("SET session_replication_role = replica")
        conn.execute(NIL_VILLAGES, (LAST - timedelta(days=92), LAST))
    measure("with the nil reports of 62,074 villages on the working days of the window")
    with _connect(server) as conn:
        conn.execute("SET session_replication_role = replica")
        for back in (1, 2):
            for month in {day.replace(day=1) - timedelta(days=364 * back) for day in months.days}:
                conn.execute("SELECT core.ensure_month(%s), core.ensure_month(%s)", (month, month + timedelta(days=31)))
            conn.execute(YEAR_BEFORE, (back, FIRST, LAST))
    measure("with two years before them")
    return "\n".join(lines) + "\n"


def run_flags(url: str) -> Measured:
    """Judge the last day, a month's end, once warm."""
    engine = open_warehouse(Settings(Path("/nonexistent"), url, "", None))
    catalog = load_catalog(None)
    flag_day(engine, catalog, LAST)
    begun = perf_counter()
    flag_day(engine, catalog, LAST)
    return Measured({"flag_day": perf_counter() - begun}, peak())


def _make_warehouse(server: ServerAddress, catalog: Catalog, months: Months) -> Engine:
    server.ensure_database(DATABASE)
    engine = open_warehouse(Settings(Path("/nonexistent"), server.url(DATABASE), "", None))
    migrate(engine)
    load_divisions(engine, DIVISIONS_FILE, None, FIRST)
    cells = register_catalog(engine, catalog)
    _say("loading")
    with _connect(server) as conn:
        load_months(conn, months, cells)
    with _connect(server, autocommit=True) as conn:
        conn.execute("ANALYZE")
    return engine


def _read_flags(server: ServerAddress) -> pd.DataFrame:
    query = (
        "SELECT unit_code, level, stat_date, check_code, measure, channel, value, effect, score, state, message"
        " FROM quality.flag WHERE score IS NOT NULL"
    )
    with _connect(server) as conn:
        cursor = conn.execute(query)
        assert cursor.description is not None
        return pd.DataFrame(cursor.fetchall(), columns=[each.name for each in cursor.description])


@contextmanager
def _server() -> Iterator[ServerAddress]:
    """An embedded server of its own, in a folder that its system user can enter; nothing of it stays."""
    home = Path(tempfile.mkdtemp(prefix="pls-bench-", dir="/var/tmp"))
    home.chmod(0o755)
    for name in ("PLS_HOME", "PLS_CATALOG", "PLS_WAREHOUSE"):
        os.environ.pop(name, None)
    try:
        yield embedded_server(home)
    finally:
        stop_embedded(home)
        shutil.rmtree(home, ignore_errors=True)


def _connect(server: ServerAddress, autocommit: bool = False) -> psycopg.Connection:
    return psycopg.connect(host=str(server.socket_dir), user="postgres", dbname=DATABASE, autocommit=autocommit)


def _say(words: str) -> None:
    click.echo(f"plausibility: {words}", err=True)


if __name__ == "__main__":
    main()
