"""`python -m bench.portal`: the portal's pages on the whole province with 36 months of roll-ups: how long the server
works on each, and how long 50 people at once wait.

The roll-ups are written straight into the mart; the last month, its quarter and year are then computed by the product
(indicators, satisfaction, evaluation), and the other months, quarters and years carry copies of these. The province
stays in --home, and is measured again without being made again.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import click
import httpx
import psycopg
import yaml

from bench.databases import connect
from bench.indicators import _run
from etl.catalog import load_catalog
from etl.catalog.scheme_indicators import known_indicators
from etl.divisions import load_divisions
from etl.evaluation import evaluate
from etl.indicators import compute_indicators
from etl.periods import periods_touched
from etl.periods.period import Period
from etl.register import register_catalog
from etl.rollup import roll_up_day
from etl.satisfaction import compute_satisfaction
from etl.settings import DIVISIONS_FILE, Settings
from etl.warehouse import ServerAddress, embedded_server, migrate, open_warehouse, stop_embedded

LAST = Period.parse("2026-03")
MONTHS = 36
DAY = date(2026, 3, 31)
PROVINCE, CITY, COUNTY, TOWN, VILLAGE = (
    "370000000000",
    "371300000000",
    "371302000000",
    "371302001000",
    "371302001001",
)
DATABASE = "pls"
PAGE = Path(__file__).resolve().parent.parent / "docs" / "portal-load.md"
GOAL_PAGE, GOAL_CROWD = 0.2, 0.5
"""Seconds: of a page at the server, and of the 95th percentile with PEOPLE at once."""
PEOPLE, REQUESTS = 50, 1000
USER, HEADER = "bench", "X-Bench-User"
PAGES = {
    "overview": "/",
    "overview of a quarter": "/?period=2026Q1",
    "overview of a year": "/?period=2025",
    "city": f"/division/{CITY}",
    "county": f"/division/{COUNTY}",
    "township with its villages": f"/division/{TOWN}",
    "village": f"/division/{VILLAGE}",
    "county in 2023-09": f"/division/{COUNTY}?period=2023-09",
    "search by name": "/search?words=兰山",
    "search for a common name": "/search?words=村",
    "search by code": "/search?words=371302",
    "downloads": "/downloads",
}
BOARDS = {
    "submissions board": f"/board?day={DAY}",
    "submissions board of a county": f"/board/{COUNTY}?day={DAY}",
    "quality board": f"/quality?day={DAY}",
    "provenance of a month": f"/figure/{COUNTY}/2026-03/consultation",
    "provenance of a day": f"/figure/{COUNTY}/{DAY}/consultation",
    "evaluation of a county": f"/evaluation/{COUNTY}?period=2026-03",
}


@dataclass
class Timed:
    """Seconds of each request, and CPU seconds of the server's own processes, which the machine's other work does not
    lengthen."""

    wall: list[float] = field(default_factory=list)
    bytes: int = 0


@click.command(
    help="Measure the portal on a whole province with 36 months of roll-ups; writes docs/portal-load.md."
)
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("/var/tmp/pls-portal36"),
    show_default=True,
    help="Where the province stands, and is made when it does not yet.",
)
@click.option(
    "--repeat", type=click.IntRange(2), default=15, show_default=True, help="Requests of each page."
)
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Server processes.")
def main(home: Path, repeat: int, workers: int) -> None:
    """Make the province if need be, ask each page, let the crowd in, write the page."""
    before = os.getloadavg()[0]
    server, made_in = make_province(home)
    try:
        with _served(home, server, workers) as address:
            pages = _ask_each(address, repeat)
            crowd = _ask_at_once(address, pages)
        text = _describe(server, pages, crowd, made_in, workers, (before, os.getloadavg()[0]))
    finally:
        stop_embedded(home)
    click.echo(text)
    PAGE.write_text(text + "\n", encoding="utf-8")


# --- the province --------------------------------------------------------------------------------------------------


def make_province(home: Path) -> tuple[ServerAddress, float | None]:
    """The server with the province in it, and in how many seconds it was made (None: it was there)."""
    done = home / "made"
    home.mkdir(mode=0o755, parents=True, exist_ok=True)
    catalog_dir = home / "catalog"
    if not catalog_dir.exists():
        _declare(catalog_dir)
    server = embedded_server(home)
    server.ensure_database(DATABASE)
    engine = open_warehouse(Settings(home, server.url(DATABASE), "", None))
    migrate(engine)
    if done.exists():
        engine.dispose()
        return server, None
    started = time.perf_counter()
    catalog = load_catalog(catalog_dir)
    load_divisions(engine, DIVISIONS_FILE, None, DAY)
    register_catalog(engine, catalog)
    with connect(server, DATABASE) as conn:
        conn.execute("SET synchronous_commit = off")
        _run(conn, "scope", day=DAY, area=PROVINCE)
        _run(conn, "batch")
        for period in _periods():
            _say(period.name)
            _make_period(conn, period)
        for month in ("2025-02", "2025-03", "2025-12", "2026-01", "2026-02", "2026-03"):
            last_day = Period.parse(month).ends_on
            conn.execute("SELECT core.ensure_month(%s)", (last_day,))
            for name in ("stock_submission", "stock_reporting", "stock_total"):
                _run(conn, name, day=last_day)
        conn.execute("SELECT core.ensure_month(%s)", (DAY,))
        _run(conn, "portal_batches", day=DAY)
        _run(conn, "portal_day", day=DAY)
        conn.execute("INSERT INTO mart.daily_rollup (stat_date, loaded_at) VALUES (%s, now())", (DAY,))
        conn.execute("ANALYZE")
        conn.commit()
        _say("roll-up of a day")
        roll_up_day(engine, catalog, DAY, whole=True)
        computed = {}
        for name in ("2026-03/to_date", "2026-03", "2026Q1", "2025"):
            period = Period.parse(name)
            _say(f"indicators of {name}")
            compute_indicators(engine, catalog, period)
            compute_satisfaction(engine, catalog, period)
            if period.kind != "to_date":
                evaluate(engine, catalog, period, known_indicators(catalog.indicators))
            computed[period.kind] = period
        _say("copies")
        numbers = dict(conn.execute("SELECT period, period_id FROM mart.period").fetchall())
        for period in _periods():
            if period.kind != "to_date" and period not in computed.values():
                _run(
                    conn,
                    "portal_copy",
                    **{"from": numbers[computed[period.kind].name], "to": numbers[period.name]},
                )
        conn.execute("ANALYZE")
        conn.commit()
    engine.dispose()
    done.touch()
    return server, time.perf_counter() - started


def _periods() -> list[Period]:
    months = [LAST]
    while len(months) < MONTHS:
        months.append(months[-1].previous())
    touched = periods_touched([month.ends_on for month in months])
    return [each for each in touched if each.kind != "day" and each.ends_on <= DAY]


def _make_period(conn: psycopg.Connection, period: Period) -> None:
    found = conn.execute(
        "SELECT mart.ensure_period(%s, %s, %s, %s)",
        (period.name, period.kind, period.starts_on, period.ends_on),
    ).fetchone()
    assert found is not None
    for name in ("portal_own", "portal_total", "reporting"):
        _run(conn, name, day=period.ends_on, period_id=found[0])
    conn.execute(
        "UPDATE mart.period SET totalled_at = now(), days_known = ends_on - starts_on + 1, provisional_below = 0.9"
        " WHERE period_id = %s",
        (found[0],),
    )
    conn.commit()


def _declare(folder: Path) -> None:
    from bench.day import declare

    declare(folder / "platforms")
    (folder / "viewers").mkdir()
    (folder / "viewers" / "bench.yaml").write_text(
        yaml.safe_dump([{"user": USER, "division": None}]), encoding="utf-8"
    )


# --- the questions -------------------------------------------------------------------------------------------------


@contextmanager
def _served(home: Path, server: ServerAddress, workers: int) -> Iterator[str]:
    """The portal as people start it, in a process of its own."""
    environment = os.environ | {
        "PLS_HOME": str(home),
        "PLS_WAREHOUSE": server.url(DATABASE),
        "PLS_CATALOG": str(home / "catalog"),
        "PLS_PORTAL_USER_HEADER": HEADER,
        "PLS_PORTAL_TRUSTED_PROXY": "127.0.0.1",
    }
    address = "127.0.0.1:18081"
    command = [sys.executable, "-m", "etl", "portal", "serve", "--listen", address]
    if workers > 1:
        command += ["--workers", str(workers)]
    process = subprocess.Popen(command, env=environment)
    try:
        for _ in range(120):
            try:
                httpx.get(f"http://{address}/health", timeout=5, trust_env=False).raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.5)
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(20)


def _client(address: str) -> httpx.Client:
    return httpx.Client(base_url=address, headers={HEADER: USER}, timeout=60, trust_env=False)


def _ask_each(address: str, repeat: int) -> dict[str, Timed]:
    """Each page by itself; the first answer of each is left out of its median, not of its maximum."""
    found: dict[str, Timed] = {}
    with _client(address) as client:
        for name, path in (PAGES | BOARDS).items():
            timed = Timed()
            for _ in range(repeat):
                started = time.perf_counter()
                answer = client.get(path)
                timed.wall.append(time.perf_counter() - started)
                timed.bytes = len(answer.content)
            if answer.status_code == 200:
                found[name] = timed
            elif name in PAGES:
                raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:300]}")
            else:
                _say(f"{path}: {answer.status_code}, not measured")
    return found


def _ask_at_once(address: str, pages: dict[str, Timed]) -> list[float]:
    """PEOPLE at once, each asking one page after the other, REQUESTS in all."""
    paths = [path for name, path in (PAGES | BOARDS).items() if name in pages]
    waited: list[float] = []
    lock = threading.Lock()

    def person(number: int) -> None:
        with _client(address) as client:
            for each in range(REQUESTS // PEOPLE):
                started = time.perf_counter()
                client.get(paths[(number * 7 + each) % len(paths)]).raise_for_status()
                with lock:
                    waited.append(time.perf_counter() - started)

    with ThreadPoolExecutor(PEOPLE) as people:
        list(people.map(person, range(PEOPLE)))
    return waited


def _describe(
    server: ServerAddress,
    pages: dict[str, Timed],
    crowd: list[float],
    made_in: float | None,
    workers: int,
    load: tuple[float, float],
) -> str:
    with connect(server, DATABASE) as conn:
        size, divisions, months = conn.execute(
            "SELECT pg_size_pretty(pg_database_size(current_database())), (SELECT count(*) FROM core.division),"
            " (SELECT count(*) FROM mart.period WHERE kind = 'month')"
        ).fetchone() or ("", 0, 0)
    lines = [
        "# The portal under load",
        "",
        (
            "Written by `python -m bench.portal`; nothing here is typed. The province's mart with "
            f"{divisions:,} divisions and {months} months, with their quarters, years and years to date, {size}."
        ),
        (
            f"Server processes: {workers}. Load average of the machine (two cores, shared) before and after:"
            f" {load[0]:.1f}, {load[1]:.1f}."
        ),
        "",
        f"One person, milliseconds from request to answer; asked for: {GOAL_PAGE * 1000:.0f}.",
        "",
        "| page | median | longest | KiB | |",
        "|---|---|---|---|---|",
    ]
    for name, timed in pages.items():
        median = statistics.median(timed.wall[1:])
        verdict = "kept" if median <= GOAL_PAGE else "missed"
        if median <= GOAL_PAGE < max(timed.wall):
            verdict = "kept by the median"
        lines.append(
            f"| {name} | {median * 1000:.0f} | {max(timed.wall) * 1000:.0f} | {timed.bytes / 1024:.0f} | {verdict} |"
        )
    cut = statistics.quantiles(crowd, n=20)
    lines += [
        "",
        (
            f"{PEOPLE} people at once, each asking page after page without a pause, {len(crowd)} requests: median"
            f" {statistics.median(crowd) * 1000:.0f} ms, 95th percentile {cut[-1] * 1000:.0f} ms; asked for:"
            f" {GOAL_CROWD * 1000:.0f} ms, {'kept' if cut[-1] <= GOAL_CROWD else 'missed'}."
        ),
    ]
    return "\n".join(lines)


def _say(words: str) -> None:
    print(f"bench: {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
