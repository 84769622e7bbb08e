"""Indicators and evaluation of a province's month at all levels, against one plain INSERT … SELECT … GROUP BY that
writes as many rows as the indicators under the same key from the same rows (ruling 22); and the same month after years
of others."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import psycopg
from sqlalchemy.engine import Engine

from bench.databases import connect, create, drop
from bench.further import Ratio
from etl.catalog import Catalog
from etl.catalog.scheme_indicators import known_indicators
from etl.evaluation import evaluate
from etl.indicators import compute_indicators
from etl.periods.period import Period
from etl.settings import Settings
from etl.warehouse import ServerAddress, open_warehouse

SQL = Path(__file__).resolve().parent / "sql"
MONTH = Period.parse("2026-03")
REPEATS = 3
HISTORY_MONTHS = 36
HISTORY_AREA = "371300000000"
PROVINCE = "370000000000"


def measure_indicators(server: ServerAddress, template: str, catalog: Catalog) -> tuple[Ratio, Ratio]:
    """A month of the province against the floor, and a city's month with 36 months stored against the same with one.

    template: a database with schema, divisions and the registered catalogue.
    """
    return _against_floor(server, template, catalog), _against_history(server, template, catalog)


def _against_floor(server: ServerAddress, template: str, catalog: Catalog) -> Ratio:
    database = "bench_indicators"
    create(server, database, template)
    engine = _open(server, database)
    with connect(server, database) as conn:
        run_statement(conn, "batch")
        make_month(conn, MONTH, PROVINCE)
        ours = min(_timed(lambda: _show(engine, catalog, MONTH)) for _ in range(REPEATS))
        written = _count(conn, "mart.indicator_figure")
        floors = []
        for _ in range(REPEATS):
            conn.execute("DROP TABLE IF EXISTS floor")
            conn.execute("CREATE TABLE floor (LIKE mart.indicator_figure INCLUDING ALL)")
            conn.commit()
            floors.append(_timed(lambda: run_statement(conn, "floor", day=MONTH.ends_on)))
        plain = _count(conn, "floor")
    engine.dispose()
    drop(server, database)
    floor = min(floors)
    words = f"{ours:.2f} s for {written:,} rows; plain {floor:.2f} s for {plain:,}"
    return Ratio("indicators and evaluation of a province-month / plain GROUP BY", "≤ 3", ours / floor, words)


def _against_history(server: ServerAddress, template: str, catalog: Catalog) -> Ratio:
    database = "bench_indicators_history"
    create(server, database, template)
    engine = _open(server, database)
    with connect(server, database) as conn:
        run_statement(conn, "batch")
        make_month(conn, MONTH, HISTORY_AREA)

        def best() -> float:
            return min(_timed(lambda: _show(engine, catalog, MONTH)) for _ in range(2 * REPEATS))

        one = best()
        month = MONTH
        for _ in range(HISTORY_MONTHS - 1):
            month = month.previous()
            make_month(conn, month, HISTORY_AREA)
            _show(engine, catalog, month)
        conn.execute("ANALYZE mart.indicator_figure")
        conn.commit()
        many = best()
    engine.dispose()
    drop(server, database)
    words = f"{many:.2f} s with {HISTORY_MONTHS} months, {one:.2f} s with one (one city)"
    return Ratio(
        f"indicators and evaluation of a month after {HISTORY_MONTHS} / after one", "≤ 1.1", many / one, words
    )


def _show(engine: Engine, catalog: Catalog, month: Period) -> None:
    compute_indicators(engine, catalog, month)
    evaluate(engine, catalog, month, known_indicators(catalog.indicators))


def make_month(conn: psycopg.Connection, month: Period, area: str) -> None:
    """Facts of a month of a division and all below it, as if rolled up."""
    number = conn.execute(
        "SELECT mart.ensure_period(%s, %s, %s, %s)",
        (month.name, month.kind, month.starts_on, month.ends_on),
    ).fetchone()
    assert number is not None
    conn.execute("SELECT core.ensure_month(%s)", (month.ends_on,))
    for name in ("scope", "own", "total", "reporting", "stock_submission", "stock_reporting", "stock_total"):
        run_statement(conn, name, day=month.ends_on, period_id=number[0], area=area)
    conn.execute(
        "INSERT INTO mart.daily_rollup (stat_date, loaded_at, rolled_up_at)"
        " SELECT day::date, now(), now() FROM generate_series(%s::date, %s, '1 day') AS day ON CONFLICT DO NOTHING",
        (month.starts_on, month.ends_on),
    )
    conn.execute(f"ANALYZE mart.unit_sum_{number[0]}, mart.period_sum_{number[0]}")
    conn.execute(
        f"ANALYZE mart.period_reporting_{number[0]}, mart.stock_total, mart.stock_reporting, core.submission"
    )
    conn.commit()


def run_statement(conn: psycopg.Connection, name: str, **params: date | int | str) -> None:
    """Execute bench/sql/<name>.sql."""
    query = (SQL / f"{name}.sql").read_text(encoding="utf-8")
    psycopg.ClientCursor(conn).execute(query, params or None)  # type: ignore[call-overload]
    conn.commit()


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _count(conn: psycopg.Connection, table: str) -> int:
    found = conn.execute(f"SELECT count(*) FROM {table}").fetchone()  # type: ignore[call-overload]
    assert found is not None
    return int(found[0])


def _open(server: ServerAddress, database: str) -> Engine:
    return open_warehouse(Settings(Path("/nonexistent"), server.url(database), "", None))
