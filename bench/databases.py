"""Databases of the benchmark's server: made from a template, dropped when measured."""

from __future__ import annotations

import psycopg
from psycopg import sql

from etl.warehouse import ServerAddress


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
