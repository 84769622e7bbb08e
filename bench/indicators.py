"""Indicators and evaluation of a province's month at all levels, against one plain INSERT … SELECT … GROUP BY that
writes as many rows as the indicators under the same key from the same rows (ruling 22); the same month after years of
others; and its table with every village."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from time import perf_counter

import psycopg
from sqlalchemy.engine import Engine

from bench.databases import Ground, connect, open_engine
from bench.process import run_apart, say
from bench.report import Line, seconds_of
from bench.villages import write_villages
from etl.catalog import Catalog
from etl.catalog.scheme_indicators import known_indicators
from etl.evaluation import evaluate
from etl.indicators import compute_indicators
from etl.periods.period import Period

SQL = Path(__file__).resolve().parent / "sql"
MONTH = Period.parse("2026-03")
REPEATS = 3
HISTORY_MONTHS = 36
HISTORY_AREA = "371300000000"
PROVINCE = "370000000000"
WORKBOOK_SECONDS, WORKBOOK_MEGABYTES = 60, 300


@contextmanager
def province_month(ground: Ground) -> Iterator[str]:
    """A warehouse with a month of the province in it; gives its name."""
    say("a month of the province")
    with ground.warehouse("bench_month") as database:
        with connect(ground.server, database) as conn:
            run_statement(conn, "batch")
            make_month(conn, MONTH, PROVINCE)
        yield database


def measure_indicators(ground: Ground, database: str) -> Line:
    """The province's month, which is in the database, against the floor."""
    say("indicators and evaluation")
    engine = open_engine(ground.server.url(database))
    with connect(ground.server, database) as conn:
        ours = min(_timed(lambda: _show(engine, ground.catalog, MONTH)) for _ in range(REPEATS))
        written = _count(conn, "mart.indicator_figure")
        floors = []
        for _ in range(REPEATS):
            conn.execute("DROP TABLE IF EXISTS floor")
            conn.execute("CREATE TABLE floor (LIKE mart.indicator_figure INCLUDING ALL)")
            conn.commit()
            floors.append(_timed(lambda: run_statement(conn, "floor", day=MONTH.ends_on)))
        plain = _count(conn, "floor")
    engine.dispose()
    floor = min(floors)
    words = f"{ours:.2f} s for {written:,} rows; plain {floor:.2f} s for {plain:,}"
    what = "indicators and evaluation of a province-month / plain GROUP BY"
    return Line(what, ours / floor, words, at_most=3)


def measure_villages(ground: Ground, database: str) -> list[Line]:
    """Composing and writing the table of the month in the database, against what it may take."""
    say("every village's month as a workbook")
    with connect(ground.server, database) as conn:
        query = "SELECT period_id FROM mart.period WHERE period = %s"
        (number,) = conn.execute(query, (MONTH.name,)).fetchone()  # type: ignore[misc]
        run_statement(conn, "true_total", day=MONTH.ends_on, period_id=number)
        conn.autocommit = True
        conn.execute("ANALYZE")
    run = run_apart(write_villages, ground.server.url(database), MONTH)
    what = "the province's month with every village as a workbook"
    megabytes = run.peak / (1 << 20)
    return [
        Line(
            f"{what} / {WORKBOOK_SECONDS} s", run.total / WORKBOOK_SECONDS, seconds_of(run.seconds), at_most=1
        ),
        Line(
            f"{what}, memory / {WORKBOOK_MEGABYTES} MB",
            megabytes / WORKBOOK_MEGABYTES,
            f"{megabytes:.0f} MB",
            at_most=1,
        ),
    ]


def measure_indicators_after_years(ground: Ground) -> Line:
    """A city's month with 36 months stored against the same with one."""
    say(f"indicators after {HISTORY_MONTHS} months")
    with ground.warehouse("bench_years") as database, connect(ground.server, database) as conn:
        engine = open_engine(ground.server.url(database))
        run_statement(conn, "batch")
        make_month(conn, MONTH, HISTORY_AREA)

        def best() -> float:
            return min(_timed(lambda: _show(engine, ground.catalog, MONTH)) for _ in range(2 * REPEATS))

        one = best()
        month = MONTH
        for _ in range(HISTORY_MONTHS - 1):
            month = month.previous()
            make_month(conn, month, HISTORY_AREA)
            _show(engine, ground.catalog, month)
        conn.execute("ANALYZE mart.indicator_figure")
        conn.commit()
        many = best()
        engine.dispose()
    words = f"{many:.2f} s with {HISTORY_MONTHS} months, {one:.2f} s with one (one city)"
    what = f"history: indicators and evaluation of a month after {HISTORY_MONTHS} / after one"
    return Line(what, many / one, words, at_most=1.1)


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
    psycopg.ClientCursor(conn).execute(query, params or None)
    conn.commit()


def _timed(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


def _count(conn: psycopg.Connection, table: str) -> int:
    found = conn.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert found is not None
    return int(found[0])
