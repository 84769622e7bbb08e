"""`python -m bench.portal`: the portal's pages on the whole province with 36 months of roll-ups: how long the server
works on each when it is made anew and when it is kept, and how long 50 people at once wait.

The roll-ups are written straight into the mart; the last month, its quarter and year are then computed by the product
(indicators, satisfaction, evaluation), and the other months, quarters and years carry copies of these. The province
stays in --home, and is measured again without being made again.
"""

from __future__ import annotations

import http.client
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import quote

import click
import httpx
import psutil
import psycopg
import tenacity
import yaml
from fastapi.routing import APIRoute

from bench.databases import connect
from bench.day import cities_of, declare, read_divisions
from bench.indicators import run_statement
from etl.catalog import load_catalog
from etl.catalog.scheme_indicators import known_indicators
from etl.divisions import load_divisions
from etl.evaluation import evaluate
from etl.indicators import compute_indicators
from etl.periods import periods_touched
from etl.periods.period import Period
from etl.portal.pages import PAGES as ROUTERS
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
LISTEN = "127.0.0.1:18081"
PAGE = Path(__file__).resolve().parent.parent / "docs" / "portal-load.md"
GOAL_PAGE, GOAL_CROWD = 0.2, 0.5
"""Seconds: of a page at the server, and of the 95th percentile with PEOPLE at once."""
PEOPLE, REQUESTS = 50, 1000
PAUSE = 3.0
"""Seconds for which somebody who reads looks at a page, on average."""
USER, HEADER = "bench", "X-Bench-User"
SCHEME = "county-monthly"
PAGES = {
    "overview": "/",
    "overview of a quarter": "/?period=2026Q1",
    "overview of a year": "/?period=2025",
    "screen on the wall": "/wall",
    "city": f"/division/{CITY}",
    "county": f"/division/{COUNTY}",
    "county in 2023-09": f"/division/{COUNTY}?period=2023-09",
    "township with its villages": f"/division/{TOWN}",
    "village": f"/division/{VILLAGE}",
    "search by name": "/search?words=兰山",
    "search for a common name": "/search?words=村",
    "search below another name": "/search?words=临沂 村",
    "search by code": "/search?words=371302",
    "submissions of the province": f"/submissions?day={DAY}",
    "submissions of a county": f"/submissions?day={DAY}&under={COUNTY}",
    "submissions of a city with all below": f"/submissions?day={DAY}&under={CITY}&deep=true",
    "month-end stocks of the province": f"/submissions?day={DAY}&dataset=stocks",
    "counts alone, as the board refreshes": f"/submissions/counts?day={DAY}",
    "one unit's submissions": f"/submissions/unit/{TOWN}?day={DAY}",
    "quality": f"/quality?day={DAY}",
    "what a county's month sums": f"/figure?division={COUNTY}&period={LAST.name}&measure=consultation",
    "what a county's day sums": f"/figure?division={COUNTY}&period={DAY}&measure=consultation",
    "what the province's month sums": f"/figure?division={PROVINCE}&period={LAST.name}&measure=consultation",
    "what the province's day sums": f"/figure?division={PROVINCE}&period={DAY}&measure=consultation",
    "an indicator opened": f"/indicator?division={COUNTY}&period={LAST.name}&indicator=reporting_rate",
    "evaluation of a county": f"/evaluation/{COUNTY}?period={LAST.name}&scheme={SCHEME}",
    "downloads": "/downloads",
    "sign-in": "/sign-in",
    "taking note of an alert": "/alerts/ack?token=x",
}
_FILE = "/{report}/{period}/{division}/{version}/{name}"
NO_PAGES = {"/health", f"/issued{_FILE}", f"/drafts{_FILE}", "/data-docs"} | {
    f"/data-docs/{folder}{{path:path}}" for folder in ("", "assets/")
}
"""Addresses that give a file, or a word to the watch."""


@dataclass
class Timed:
    """Requests of a page. seconds: from request to answer. cpu: seconds of the portal's processes and of PostgreSQL's,
    of one request on average, which the machine's other work does not lengthen."""

    seconds: list[float]
    cpu: tuple[float, float]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


@dataclass
class Page:
    """A page made anew and kept, and its size in bytes. The first request, which finds nothing warm, counts for
    neither."""

    anew: Timed
    kept: Timed
    size: int


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
def main(home: Path, repeat: int) -> None:
    """Make the province if need be, ask each page, let the crowds in, write the page."""
    before = os.getloadavg()[0]
    server, made_in = make_province(home)
    if made_in is not None:
        _say(f"made in {made_in:.0f} s")
    try:
        with _served(home, server) as (address, portal):
            pages = _ask_each(server, address, portal, repeat)
            crowds = _let_crowds_in(server, address, portal)
        text = _describe(server, pages, crowds, (before, os.getloadavg()[0]))
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
        run_statement(conn, "scope", day=DAY, area=PROVINCE)
        run_statement(conn, "batch")
        for period in _periods():
            _say(period.name)
            _make_period(conn, period)
        for month in ("2025-02", "2025-03", "2025-12", "2026-01", "2026-02", "2026-03"):
            last_day = Period.parse(month).ends_on
            conn.execute("SELECT core.ensure_month(%s)", (last_day,))
            for name in ("stock_submission", "stock_reporting", "stock_total"):
                run_statement(conn, name, day=last_day)
        conn.execute("SELECT core.ensure_month(%s)", (DAY,))
        run_statement(conn, "portal_batches", day=DAY)
        run_statement(conn, "portal_day", day=DAY)
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
                run_statement(
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
        run_statement(conn, name, day=period.ends_on, period_id=found[0])
    conn.execute(
        "UPDATE mart.period SET totalled_at = now(), days_known = ends_on - starts_on + 1, provisional_below = 0.9"
        " WHERE period_id = %s",
        (found[0],),
    )
    conn.commit()


def _declare(folder: Path) -> None:
    declare(folder / "platforms", cities_of(read_divisions()))
    (folder / "viewers").mkdir()
    (folder / "viewers" / "bench.yaml").write_text(
        yaml.safe_dump([{"user": USER, "division": None}]), encoding="utf-8"
    )


# --- the questions -------------------------------------------------------------------------------------------------


@contextmanager
def _served(home: Path, server: ServerAddress) -> Iterator[tuple[str, psutil.Process]]:
    """The portal as people start it, in a process of its own."""
    environment = os.environ | {
        "PLS_HOME": str(home),
        "PLS_WAREHOUSE": server.url(DATABASE),
        "PLS_CATALOG": str(home / "catalog"),
        "PLS_PORTAL_USER_HEADER": HEADER,
        "PLS_PORTAL_TRUSTED_PROXY": "127.0.0.1",
    }
    command = [sys.executable, "-m", "etl", "portal", "serve", "--listen", LISTEN]
    with subprocess.Popen(command, env=environment) as process:
        try:
            for attempt in tenacity.Retrying(
                wait=tenacity.wait_fixed(0.5), stop=tenacity.stop_after_delay(60)
            ):
                with attempt:
                    httpx.get(f"http://{LISTEN}/health", timeout=5, trust_env=False).raise_for_status()
            yield f"http://{LISTEN}", psutil.Process(process.pid)
        finally:
            process.terminate()


def _ask_each(server: ServerAddress, address: str, portal: psutil.Process, repeat: int) -> dict[str, Page]:
    """Each page by itself, first made anew each time, then kept. Raises RuntimeError for a page that does not answer,
    and for an address of the product that is none of PAGES."""
    _require_all_pages()
    found: dict[str, Page] = {}
    sizes: dict[str, int] = {}
    headers = {HEADER: USER}
    with httpx.Client(base_url=address, headers=headers, timeout=60, trust_env=False) as client:

        def ask(path: str) -> float:
            started = time.perf_counter()
            answer = client.get(path)
            waited = time.perf_counter() - started
            if answer.status_code != 200:
                raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:300]}")
            sizes[path] = len(answer.content)
            return waited

        for name, path in PAGES.items():
            ask(path)
            anew: list[float] = []
            costs: list[tuple[float, float]] = []
            for _ in range(repeat):
                _write_something(server)
                before = _cpu(server, portal)
                anew.append(ask(path))
                costs.append(_since(server, portal, before))
            before = _cpu(server, portal)
            kept = [ask(path) for _ in range(repeat)]
            cost = tuple(each / repeat for each in _since(server, portal, before))
            made = tuple(sum(each) / repeat for each in zip(*costs, strict=True))
            found[name] = Page(Timed(anew, made), Timed(kept, cost), sizes[path])  # type: ignore[arg-type]
    return found


def _require_all_pages() -> None:
    known = {path.split("?")[0] for path in PAGES.values()}
    for route in (each for router in ROUTERS for each in router.routes):
        assert isinstance(route, APIRoute)
        if "GET" not in route.methods or route.path in NO_PAGES:
            continue
        if not any(route.path_regex.fullmatch(path) for path in known):
            raise RuntimeError(f"{route.path} is a page of the product, and none of the benchmark's.")


def _write_something(server: ServerAddress) -> None:
    """What a run does that has shown a period anew: nothing that was kept holds any more."""
    with connect(server, DATABASE) as conn:
        conn.execute(
            "UPDATE mart.period SET indicated_at = clock_timestamp() WHERE period = %s", (LAST.name,)
        )


def _cpu(server: ServerAddress, portal: psutil.Process) -> tuple[float, float]:
    """CPU seconds so far of the portal's processes, and of PostgreSQL's with those that have ended."""
    postmaster = psutil.Process(int((server.socket_dir / "postmaster.pid").read_text().split()[0]))
    return _of_family(portal), _of_family(postmaster)


def _of_family(first: psutil.Process) -> float:
    spent = 0.0
    for each in first.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            times = each.cpu_times()
            spent += times.user + times.system
    own = first.cpu_times()
    return spent + own.user + own.system + own.children_user + own.children_system


def _since(server: ServerAddress, portal: psutil.Process, before: tuple[float, float]) -> tuple[float, float]:
    now = _cpu(server, portal)
    return now[0] - before[0], now[1] - before[1]


# --- the crowds ----------------------------------------------------------------------------------------------------


@dataclass
class Crowd:
    """PEOPLE at once. who: what they do. cpu: seconds of portal and PostgreSQL a request."""

    who: str
    timed: Timed

    @property
    def slowest(self) -> float:
        """The 95th percentile, in seconds."""
        return statistics.quantiles(self.timed.seconds, n=20)[-1]


def _let_crowds_in(server: ServerAddress, address: str, portal: psutil.Process) -> list[Crowd]:
    """The same pages for all; then for each request another division, which nobody has looked at before."""
    same = list(PAGES.values())
    with connect(server, DATABASE) as conn:
        codes = [
            row[0]
            for row in conn.execute(
                "SELECT division_code FROM mart.division WHERE level IN ('city', 'county', 'township')"
                " AND valid_to = 'infinity' ORDER BY md5(division_code)"
            )
        ]
    months = [each.name for each in _periods() if each.kind == "month"]
    others = [f"/division/{code}?period={month}" for month in months for code in codes]
    share = REQUESTS // PEOPLE
    apart = [others[number::PEOPLE] for number in range(PEOPLE)]
    return [
        Crowd(who, _ask_at_once(server, address, portal, paths, pause))
        for who, paths, pause in (
            (
                "the pages above, without a pause",
                [
                    [same[(number * 7 + each) % len(same)] for each in range(share)]
                    for number in range(PEOPLE)
                ],
                0.0,
            ),
            ("each time another division, without a pause", [each[:share] for each in apart], 0.0),
            (
                f"each time another division, read for {PAUSE:.0f} s on average",
                [each[share : 2 * share] for each in apart],
                PAUSE,
            ),
        )
    ]


def _ask_at_once(
    server: ServerAddress, address: str, portal: psutil.Process, paths: list[list[str]], pause: float
) -> Timed:
    """Each person asks their pages one after the other, by a client that does little: it takes its time from the same
    two cores."""
    waited: list[float] = []
    host = address.removeprefix("http://")

    def person(number: int) -> None:
        chance = random.Random(number)
        for path in paths[number]:
            time.sleep(chance.uniform(0, 2 * pause))
            started = time.perf_counter()
            client = http.client.HTTPConnection(host, timeout=120)
            client.request("GET", quote(path, safe="/?&="), headers={HEADER: USER})
            answer = client.getresponse()
            answer.read()
            client.close()
            waited.append(time.perf_counter() - started)
            if answer.status != 200:
                raise RuntimeError(f"{path}: {answer.status}")

    before = _cpu(server, portal)
    with ThreadPoolExecutor(PEOPLE) as people:
        list(people.map(person, range(PEOPLE)))
    spent = _since(server, portal, before)
    return Timed(waited, (spent[0] / len(waited), spent[1] / len(waited)))


def _describe(
    server: ServerAddress, pages: dict[str, Page], crowds: list[Crowd], load: tuple[float, float]
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
            f"{divisions:,} divisions and {months} months, with their quarters, years and years to date, {size};"
            " the portal as `portal serve` starts it, on the same two cores as PostgreSQL and those who ask."
        ),
        "",
        (
            "Anew: something of a period was written since, so the page is made from the marts. Again: nothing was, and"
            " a page of months, quarters or years that was kept still holds. Milliseconds: of the clock from request to"
            " answer (median, longest), and of CPU a request, of the portal and of PostgreSQL. Asked for: at most"
            f" {GOAL_PAGE * 1000:.0f} ms for any page. Load average of the machine before and after, its other work"
            f" included: {load[0]:.1f}, {load[1]:.1f}; it lengthens what the clock says, not what the CPU does."
        ),
        "",
        "| page | anew: median | longest | CPU portal | CPU PostgreSQL | again: median | CPU both | KiB | |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, page in pages.items():
        worst = max(page.anew.seconds)
        verdict = "kept" if worst <= GOAL_PAGE else "kept by the median"
        cells = (page.anew.median, worst, *page.anew.cpu, page.kept.median, sum(page.kept.cpu))
        shown = " | ".join(f"{each * 1000:.0f}" for each in cells)
        lines.append(
            f"| {name} | {shown} | {page.size / 1024:.0f} | "
            f"{verdict if page.anew.median <= GOAL_PAGE else 'missed'} |"
        )
    lines += [
        "",
        (
            f"{PEOPLE} people at once, {REQUESTS} requests a crowd; asked for: the 95th percentile at most"
            f" {GOAL_CROWD * 1000:.0f} ms."
        ),
        "",
        "| what they look at | median | 95th percentile | CPU portal | CPU PostgreSQL | |",
        "|---|---|---|---|---|---|",
    ]
    for crowd in crowds:
        cells = (crowd.timed.median, crowd.slowest, *crowd.timed.cpu)
        shown = " | ".join(f"{each * 1000:.0f}" for each in cells)
        lines.append(f"| {crowd.who} | {shown} | {'kept' if crowd.slowest <= GOAL_CROWD else 'missed'} |")
    return "\n".join(lines)


def _say(words: str) -> None:
    print(f"bench: {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
