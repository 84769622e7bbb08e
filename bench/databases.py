"""The benchmark's own PostgreSQL, and warehouses in it: made from a template, dropped when measured."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import Engine

from etl.catalog import Catalog
from etl.divisions import load_divisions
from etl.register import register_catalog
from etl.settings import DIVISIONS_FILE, Settings
from etl.warehouse import ServerAddress, embedded_server, migrate, open_warehouse, stop_embedded


@dataclass(frozen=True)
class Ground:
    """What the measurements of one run stand on. template: a warehouse without figures. cells, divisions: their numbers
    there. repeats: of each measurement, of which the best counts."""

    server: ServerAddress
    template: str
    catalog: Catalog
    cells: Mapping[tuple[str, str], int]
    divisions: Mapping[str, int]
    repeats: int

    @contextmanager
    def warehouse(self, name: str) -> Iterator[str]:
        """A warehouse like the template, which the environment names; gives its name in the server."""
        create(self.server, name, self.template)
        os.environ["PLS_WAREHOUSE"] = self.server.url(name)
        yield name
        drop(self.server, name)


@contextmanager
def own_server() -> Iterator[ServerAddress]:
    """An embedded server of its own, in a folder that its system user can enter: PLS_HOME. Nothing of it stays."""
    home = Path(tempfile.mkdtemp(prefix="pls-bench-", dir="/var/tmp"))
    home.chmod(0o755)
    for name in ("PLS_CATALOG", "PLS_WAREHOUSE", "PLS_ARCHIVE"):
        os.environ.pop(name, None)
    os.environ["PLS_HOME"] = str(home)
    try:
        yield embedded_server(home)
    finally:
        stop_embedded(home)
        shutil.rmtree(home, ignore_errors=True)


def open_engine(url: str) -> Engine:
    """A warehouse by its URL, whatever the environment says."""
    return open_warehouse(Settings(Path("/nonexistent"), url, "", None))


def make_warehouse(
    server: ServerAddress, database: str, catalog: Catalog, since: date
) -> dict[tuple[str, str], int]:
    """A warehouse without figures, with the shipped divisions since a day; returns the numbers of its cells."""
    server.ensure_database(database)
    engine = open_engine(server.url(database))
    migrate(engine)
    load_divisions(engine, DIVISIONS_FILE, None, since)
    cells = register_catalog(engine, catalog)
    engine.dispose()
    return cells


def connect(server: ServerAddress, database: str, autocommit: bool = False) -> psycopg.Connection:
    return psycopg.connect(
        host=str(server.socket_dir), user="postgres", dbname=database, autocommit=autocommit
    )


def create(server: ServerAddress, database: str, template: str) -> None:
    command = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    with connect(server, "postgres", autocommit=True) as conn:
        conn.execute(command.format(sql.Identifier(database), sql.Identifier(template)))


def drop(server: ServerAddress, database: str) -> None:
    with connect(server, "postgres", autocommit=True) as conn:
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))


def checkpoint(server: ServerAddress, database: str) -> None:
    """Write out what is dirty, so that nobody is measured with another's writes."""
    with connect(server, database, autocommit=True) as conn:
        conn.execute("CHECKPOINT")
