"""Make the history: one month as the product rolls it up, then the months before it, day by day like that month's days.

What lies in core is drawn by SQL for the last month (bench/sql/endurance/submission.sql); the product rolls its days
up and shows them. Earlier months are copies of it, day of month by day of month, each in one transaction, with the
constraints and indexes of production. Of longer periods the product computes one of each content (a February of a leap
year has one of its own), and like periods are copies of it. Run again, it goes on where it stopped.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
import yaml
from sqlalchemy.engine import Connection

from bench.databases import connect, create
from bench.day import cities_of, declare, read_divisions
from bench.endurance.statements import run
from etl.catalog import AtMost, Catalog, load_catalog
from etl.clock import SHANGHAI
from etl.divisions import load_divisions
from etl.periodic import show_period
from etl.periods import Period, periods_touched
from etl.register import register_catalog
from etl.rollup import roll_up_day
from etl.settings import DIVISIONS_FILE, Settings
from etl.site import Site, open_site
from etl.stock_rollup import roll_up_month
from etl.warehouse import ServerAddress, embedded_server, migrate, open_warehouse

MODEL = Period.parse("2026-01")
MONTHS = 35
"""Months before the model."""
MONTH, YEARS = "month", "years"
"""The databases: with the model alone, and with all months."""
BATCHES = 10_000
"""Numbers of batches set aside for each month."""
VILLAGE_HABIT = 100
"""Of 1,024: the share of kinds of things that a village ever reports, beside those that are wholes of others."""
MAKER = "postgres"
SHIFTED = ("last_day", "cutoff_at", "estimated_on")
"""Columns of periods' tables that move with the period."""


def make(home: Path, area: str) -> ServerAddress:
    """Both databases, below a folder that the server's own system user can enter; area: the first digits of the codes
    of divisions whose units report."""
    home.mkdir(mode=0o755, parents=True, exist_ok=True)
    _declare(home / "catalog" / "platforms", area)
    os.environ |= {"PLS_HOME": str(home), "PLS_CATALOG": str(home / "catalog")}
    os.environ.pop("PLS_ARCHIVE", None)
    server = embedded_server(home)
    with connect(server, "postgres", autocommit=True) as conn:
        conn.execute("ALTER SYSTEM SET autovacuum = off")
        conn.execute("SELECT pg_reload_conf()")
    if not _is_there(server, YEARS):
        server.ensure_database(MONTH)
        _make_month(server, area)
        create(server, YEARS, MONTH)
    _make_years(server)
    return server


def months() -> list[Period]:
    """The months before the model, the newest first."""
    found = [MODEL.previous()]
    while len(found) < MONTHS:
        found.append(found[-1].previous())
    return found


def open_database(server: ServerAddress, database: str, at: datetime, role: str = "pls_loader") -> Site:
    """The site of one of the databases, at a moment, with the rights of a role."""
    os.environ["PLS_WAREHOUSE"] = server.url(database)
    return replace(open_site(role=role), clock=lambda: at)


def evening(day: date) -> datetime:
    """When a day is run."""
    return datetime(day.year, day.month, day.day, 18, 40, tzinfo=SHANGHAI)


# --- the model -----------------------------------------------------------------------------------------------------


def _make_month(server: ServerAddress, area: str) -> None:
    engine = open_warehouse(Settings(Path("/nonexistent"), server.url(MONTH), "", None))
    migrate(engine)
    load_divisions(engine, DIVISIONS_FILE, None, months()[-1].starts_on)
    catalog = load_catalog(Path(os.environ["PLS_CATALOG"]))
    register_catalog(engine, catalog)
    slice_ = _slice(MODEL) | _pairs(catalog) | {"area": f"{area}%", "village_habit": VILLAGE_HABIT}
    first_batch = BATCHES * MONTHS
    with engine.begin() as conn:
        conn.execute(sa.text("CREATE TABLE IF NOT EXISTS public.made (what text PRIMARY KEY)"))
        run(conn, "made_month", {})
        if not _has(conn, "submissions"):
            _say("submissions of a month")
            _trust(conn)
            conn.execute(sa.text("SELECT core.ensure_month(:first)"), slice_)
            run(conn, "batch", slice_ | {"first_batch": first_batch})
            run(conn, "submission", slice_)
            run(conn, "stock_batch", slice_ | {"first_batch": first_batch + BATCHES // 2})
            run(conn, "stock", slice_)
            run(conn, "month_sum", slice_)
            conn.execute(
                sa.text("SELECT setval(pg_get_serial_sequence('landing.batch', 'batch_id'), :last)"),
                {"last": first_batch + BATCHES},
            )
            conn.execute(sa.text("ANALYZE core.submission, landing.batch"))
            _check(conn, slice_)
            run(conn, "count", slice_)
            _mark(conn, "submissions")
    engine.dispose()
    site = open_database(server, MONTH, evening(MODEL.ends_on), MAKER)
    for number in range(MODEL.days):
        day = MODEL.starts_on + timedelta(days=number)
        with site.engine.connect() as conn:
            is_done = _has(conn, str(day))
        if not is_done:
            _say(f"roll-up of {day}")
            _roll_up(site, day)
    with site.engine.begin() as conn:
        is_done = _has(conn, "stocks")
    if not is_done:
        roll_up_month(site.engine, site.catalog, MODEL.ends_on)
        with site.engine.begin() as conn:
            _mark(conn, "stocks")
    _show(site, [MODEL, *_longer(MODEL)])
    site.engine.dispose()
    _vacuum(server, MONTH)


def _roll_up(site: Site, day: date) -> None:
    with site.engine.begin() as conn:
        conn.execute(
            sa.text("INSERT INTO mart.daily_rollup (stat_date, loaded_at) VALUES (:day, now())"), {"day": day}
        )
    roll_up_day(site.engine, site.catalog, day, whole=True)
    show_period(site, Period.around("day", day))
    with site.engine.begin() as conn:
        conn.execute(
            sa.text(
                "UPDATE mart.daily_rollup SET judged_at = clock_timestamp(), units_unjudged = '{}'"
                " WHERE stat_date = :day"
            ),
            {"day": day},
        )
        _mark(conn, str(day))


def _pairs(catalog: Catalog) -> dict[str, list[str]]:
    """Measures that checks over the year compare: wholes, and parts that are no wholes themselves."""
    checks = [each for each in catalog.checks.values() if isinstance(each, AtMost)]
    parts = {each.part for each in checks}
    return {"wholes": sorted({each.whole for each in checks} - parts), "parts": sorted(parts)}


# --- the years -----------------------------------------------------------------------------------------------------


def _make_years(server: ServerAddress) -> None:
    site = open_database(server, YEARS, evening(MODEL.ends_on), MAKER)
    with site.engine.connect() as conn:
        is_done = _has(conn, "years")
    if is_done:
        site.engine.dispose()
        return
    for number, month in enumerate(months(), start=1):
        with site.engine.begin() as conn:
            if _has(conn, f"days of {month.name}"):
                continue
            _say(month.name)
            _copy_month(conn, month, number)
            run(conn, "count", _slice(month))
            _mark(conn, f"days of {month.name}")
        _vacuum_month(server, month)
    _show(site, [MODEL, *reversed(months()), *_longer(*months())])
    _vacuum(server, YEARS)
    with site.engine.begin() as conn:
        _mark(conn, "years")
    site.engine.dispose()


def _copy_month(conn: Connection, month: Period, number: int) -> None:
    last = MODEL.starts_on + timedelta(days=month.days - 1)
    slice_ = {
        "first": MODEL.starts_on,
        "last": last,
        "shift": (month.starts_on - MODEL.starts_on).days,
        "batches": number * BATCHES,
        "dataset": "daily",
    }
    stocks = slice_ | {
        "first": MODEL.ends_on,
        "last": MODEL.ends_on,
        "shift": (month.ends_on - MODEL.ends_on).days,
        "dataset": "stocks",
    }
    _trust(conn)
    conn.execute(sa.text("SELECT core.ensure_month(:first)"), {"first": month.starts_on})
    for name in (
        "copy_batch",
        "copy_submission",
        "copy_total",
        "copy_reporting",
        "copy_expected",
        "copy_rollup",
        "copy_month_sum",
    ):
        run(conn, name, slice_)
    for name in ("copy_batch", "copy_submission", "copy_expected", "copy_stock"):
        run(conn, name, stocks)
    conn.execute(sa.text("SELECT core.analyze_month(:day)"), {"day": month.starts_on})
    _check(conn, _slice(month))
    days = [month.starts_on + timedelta(days=each) for each in range(month.days)]
    for day in days:
        like = MODEL.starts_on + timedelta(days=day.day - 1)
        _copy_period(conn, Period.around("day", like), Period.around("day", day))


def _longer(*of: Period) -> list[Period]:
    """Quarters, years and years to date that end with or before the months given, small ones first."""
    touched = periods_touched([month.ends_on for month in of])
    newest = max(month.ends_on for month in of)
    return [each for each in touched if each.kind not in ("day", "month") and each.starts_on <= newest]


def _show(site: Site, periods: Iterable[Period]) -> None:
    """Show each period: by the product, or as a copy of one with the same days."""
    shown: dict[tuple[object, ...], Period] = {}
    for period in periods:
        if period.kind == "to_date" and period.ends_on > MODEL.ends_on:
            continue
        key = content(period)
        with site.engine.begin() as conn:
            is_done = _has(conn, period.name)
            if not is_done and key in shown:
                _copy_period(conn, shown[key], period)
                _mark(conn, period.name)
                is_done = True
        if not is_done:
            _say(f"{period.name} by the product")
            show_period(site, period)
            with site.engine.begin() as conn:
                _mark(conn, period.name)
        shown.setdefault(key, period)


def content(period: Period) -> tuple[object, ...]:
    """What a period's figures are told by: its kind, and how many days each of its months has, as far as there are
    any."""
    known = [
        month for month in period.months() if months()[-1].starts_on <= month.starts_on <= MODEL.starts_on
    ]
    return period.kind, *(month.days for month in known)


def _copy_period(conn: Connection, source: Period, target: Period) -> None:
    """All that is shown of a period becomes that of another."""
    number = conn.execute(
        sa.text("SELECT mart.ensure_period(:name, :kind, :first, :last)"),
        {"name": target.name, "kind": target.kind, "first": target.starts_on, "last": target.ends_on},
    ).scalar_one()
    of = conn.execute(
        sa.text("SELECT period_id FROM mart.period WHERE period = :name"), {"name": source.name}
    ).scalar_one()
    ids = {"to": number, "from": of, "shift": (target.ends_on - source.ends_on).days}
    for table, columns in _tables(conn, target.kind).items():
        changed = [_moved(name, kind) for name, kind in columns]
        names = ", ".join(name for name, _ in columns)
        conn.execute(
            sa.text(
                f"INSERT INTO mart.{table} ({names}) SELECT {', '.join(changed)} FROM mart.{table}"
                " WHERE period_id = :from"
            ),
            ids,
        )
    own = ("period_id", "period", "kind", "starts_on", "ends_on")
    names = ", ".join(name for name, _ in _columns(conn, "period") if name not in own)
    conn.execute(
        sa.text(
            f"UPDATE mart.period SET ({names}) = (SELECT {names} FROM mart.period WHERE period_id = :from)"
            " WHERE period_id = :to"
        ),
        ids,
    )


def _moved(name: str, kind: str) -> str:
    if name == "period_id":
        return ":to"
    if name in SHIFTED:
        return f"{name} + :shift" if kind == "date" else f"{name} + make_interval(days => :shift)"
    return name


def _tables(conn: Connection, kind: str) -> dict[str, list[tuple[str, str]]]:
    """Tables that hold something of periods, with their columns and types; a day has no totals of its own there."""
    names = conn.execute(
        sa.text(
            "SELECT table_name FROM information_schema.columns"
            " JOIN information_schema.tables USING (table_schema, table_name)"
            " WHERE table_schema = 'mart' AND column_name = 'period_id' AND table_type = 'BASE TABLE'"
            " AND table_name !~ '[0-9]$' AND table_name NOT IN ('period', 'issue') ORDER BY 1"
        )
    ).scalars()
    of_totals = ("unit_sum", "period_sum", "period_reporting")
    return {name: _columns(conn, name) for name in names.all() if kind != "day" or name not in of_totals}


def _columns(conn: Connection, table: str) -> list[tuple[str, str]]:
    query = (
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = 'mart' AND table_name = :table AND is_generated = 'NEVER' ORDER BY ordinal_position"
    )
    return [(row.column_name, row.data_type) for row in conn.execute(sa.text(query), {"table": table})]


# --- small things --------------------------------------------------------------------------------------------------


def _declare(folder: Path, area: str) -> None:
    """What each city of the area reports to every day, and one platform for each that keeps their stocks."""
    cities = cities_of(read_divisions(), area)
    declare(folder, cities)
    stocks = [
        {
            "id": f"stocks-{city[:4]}",
            "family": "rest",
            "level": ["county", "township", "village"],
            "datasets": ["stocks"],
            "conn_id": "pls_bench",
            "area": [city],
            "calendar": "everyday",
        }
        for city in cities
    ]
    (folder / "stocks.yaml").write_text(yaml.safe_dump(stocks), encoding="utf-8")


def _slice(month: Period) -> dict[str, object]:
    return {"first": month.starts_on, "last": month.ends_on}


def _trust(conn: Connection) -> None:
    """Foreign keys are checked once for the month (bench/sql/endurance/orphans.sql), not row by row."""
    conn.execute(sa.text("SET LOCAL session_replication_role = replica"))


def _check(conn: Connection, slice_: dict[str, object]) -> None:
    orphans = run(conn, "orphans", slice_).scalar_one()
    if orphans:
        raise RuntimeError(f"{orphans} submissions without batch or unit")


def _is_there(server: ServerAddress, database: str) -> bool:
    with connect(server, "postgres") as conn:
        return bool(conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone())


def _has(conn: Connection, what: str) -> bool:
    query = "SELECT EXISTS (SELECT FROM public.made WHERE what = :what)"
    return bool(conn.execute(sa.text(query), {"what": what}).scalar_one())


def _mark(conn: Connection, what: str) -> None:
    conn.execute(sa.text("INSERT INTO public.made VALUES (:what)"), {"what": what})


def _vacuum_month(server: ServerAddress, month: Period) -> None:
    with connect(server, YEARS, autocommit=True) as conn:
        for table in ("core.submission", "mart.daily_sum", "mart.daily_reporting"):
            conn.execute(f"VACUUM {table}_{month.starts_on:%Y%m}".encode())


def _vacuum(server: ServerAddress, database: str) -> None:
    with connect(server, database, autocommit=True) as conn:
        conn.execute("VACUUM ANALYZE")


def _say(words: str) -> None:
    print(f"endurance: {words}", file=sys.stderr, flush=True)
