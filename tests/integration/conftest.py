"""A real PostgreSQL for the tests: one server for the session, one database per test, made from a template."""

from __future__ import annotations

import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from etl.connections import connection_from_env
from etl.divisions import load_divisions
from etl.settings import DIVISIONS_FILE, Settings
from etl.site import Site, open_site
from etl.warehouse import (
    ServerAddress,
    driver_connection,
    embedded_server,
    migrate,
    open_warehouse,
    stop_embedded,
)
from simulator.simulation import Simulation

TEMPLATE = "pls_template"


@pytest.fixture(scope="session")
def server() -> Iterator[ServerAddress]:
    """An embedded server in a folder that its own system user can enter (pytest's own folders are private)."""
    home = Path(tempfile.mkdtemp(prefix="pls-test-", dir="/var/tmp"))
    home.chmod(0o755)
    try:
        started = embedded_server(home)
        # A database of a test need not outlive a loss of power.
        for setting in ("fsync", "full_page_writes"):
            run_command(started, psycopg.sql.SQL("ALTER SYSTEM SET {} = off"), setting)
        run_command(started, psycopg.sql.SQL("SELECT pg_reload_conf()"))
        yield started
    finally:
        stop_embedded(home)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def template(server: ServerAddress) -> str:
    """A database with the schema and the divisions of Shandong, to be copied."""
    make_template(server)
    return TEMPLATE


def make_template(server: ServerAddress) -> None:
    server.ensure_database(TEMPLATE)
    engine = open_warehouse(Settings(Path("/nonexistent"), server.url(TEMPLATE), "", None))
    migrate(engine)
    write_singly(engine)
    load_divisions(engine, DIVISIONS_FILE, None, date(2026, 1, 1))
    engine.dispose()


def write_singly(engine: Engine) -> None:
    """Let tests write totals figure by figure through mart.daily_total, mart.period_total and mart.period_own."""
    with engine.begin() as conn:
        driver_connection(conn).execute((Path(__file__).parent.parent / "single_figures.sql").read_bytes())


@pytest.fixture
def database(server: ServerAddress, template: str) -> Iterator[Callable[[], str]]:
    """Makes databases: each call gives the URL of a new one, ready for use."""
    made: list[str] = []

    def make() -> str:
        made.append(f"test_{uuid.uuid4().hex}")
        copy_database(server, template, made[-1])
        return server.url(made[-1])

    yield make
    for name in made:
        run_command(server, psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)"), name)


def copy_database(server: ServerAddress, template: str, name: str) -> None:
    run_command(server, psycopg.sql.SQL("CREATE DATABASE {} TEMPLATE {}"), name, template)


def run_command(server: ServerAddress, command: psycopg.sql.SQL, *names: str) -> None:
    with psycopg.connect(
        host=str(server.socket_dir), user="postgres", dbname="postgres", autocommit=True
    ) as conn:
        conn.execute(command.format(*map(psycopg.sql.Identifier, names)))


@pytest.fixture
def hotline_url(server: ServerAddress) -> str:
    """A database that the simulated hotline writes to."""
    name = f"hotline_{uuid.uuid4().hex}"
    server.ensure_database(name)
    return server.url(name)


@pytest.fixture
def open_for(
    database: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Simulation], Site]]:
    """Opens a site with an empty warehouse on the platforms of a simulation that runs."""
    opened: list[Site] = []

    def open_(simulation: Simulation) -> Site:
        for name, value in simulation.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("PLS_HOME", str(tmp_path / f"home{len(opened)}"))
        monkeypatch.setenv("PLS_WAREHOUSE", database())
        if simulation.catalog_dir is not None:
            monkeypatch.setenv("PLS_CATALOG", str(simulation.catalog_dir))
        opened.append(open_site(connection_from_env))
        return opened[-1]

    yield open_
    for site in opened:
        site.engine.dispose()


def clock(site: Site) -> datetime:
    """The time by the warehouse's clock, which known times are of."""
    with site.engine.connect() as conn:
        moment: datetime = conn.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
        return moment


def read_sorted(site: Site, view: str) -> pd.DataFrame:
    """All rows of a view as text in one order, to be held against another reading: a view promises no order."""
    rows = read_view(site, view).astype(str)
    return rows.sort_values(list(rows.columns), ignore_index=True)


def read_view(site: Site, view: str, **where: object) -> pd.DataFrame:
    """All rows of a view, narrowed by equal columns; in no order."""
    condition = " AND ".join(f"{name} = :{name}" for name in where) or "true"
    with site.engine.connect() as conn:
        result = conn.execute(sa.text(f"SELECT * FROM {view} WHERE {condition}"), where)
        return pd.DataFrame(result.all(), columns=list(result.keys()))


def wait_for_a_lock(site: Site) -> None:
    """Until somebody waits for what somebody else holds."""
    query = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with site.engine.connect() as conn:
        for _ in range(600):
            if conn.execute(query).scalar_one():
                return
            time.sleep(0.05)
    raise AssertionError("nobody waits")
