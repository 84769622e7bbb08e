"""The warehouse on a Citus cluster, laid out as docs/howto/citus.md says; skipped where Citus is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from etl.divisions import load_divisions
from etl.settings import DIVISIONS_FILE, Settings
from etl.warehouse import migrate, open_warehouse
from tests.integration.debian_server import debian_server
from tests.integration.test_pipeline_truth import DAY, assert_restated_day_ends_in_truth

LAYOUT = Path(__file__).parent.parent.parent / "sql" / "citus"
INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/lib/citus.so"))
SETTINGS = {
    "shared_preload_libraries": "citus",
    "wal_level": "logical",
    "max_prepared_transactions": "100",
    "citus.shard_count": "4",
    "fsync": "off",
}
ROLES = ("pls_owner", "pls_loader", "pls_clerk", "pls_reader", "pls_county")


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[Path]]:
    """Sockets of the coordinator and of two workers, each with an empty database pls that has the extension."""
    if not INSTALLED:
        pytest.skip("Citus is not installed; neither Debian nor PyPI has it (docs/howto/citus.md)")
    binaries = INSTALLED[-1].parent.parent / "bin"
    with ExitStack() as running:
        folders = [running.enter_context(debian_server(binaries, SETTINGS, ROLES)) for _ in range(3)]
        for folder in folders:
            with _connect(folder, "postgres") as conn:
                conn.execute("CREATE DATABASE pls")
            with _connect(folder) as conn:
                conn.execute("CREATE EXTENSION citus")
        with _connect(folders[0]) as conn:
            conn.execute("SELECT citus_set_coordinator_host(%s)", (str(folders[0]),))
            for worker in folders[1:]:
                conn.execute("SELECT citus_add_node(%s, 5432)", (str(worker),))
        yield folders


def test_a_day_with_restatements_ends_in_the_truth_on_citus(
    nodes: list[Path], tmp_path: Path, hotline_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"postgresql+psycopg://postgres@/pls?host={nodes[0]}"
    engine = open_warehouse(Settings(tmp_path, url, "", None))
    migrate(engine)
    load_divisions(engine, DIVISIONS_FILE, None, DAY)
    engine.dispose()
    with _connect(nodes[0]) as conn, conn.transaction():
        for script in sorted(LAYOUT.glob("*.sql")):
            conn.execute(script.read_bytes())
    assert_restated_day_ends_in_truth(url, tmp_path, hotline_url, monkeypatch)
    for worker in nodes[1:]:
        with _connect(worker) as conn:
            assert _largest_shard(conn) > 0


def _connect(folder: Path, database: str = "pls") -> psycopg.Connection:
    return psycopg.connect(host=str(folder), user="postgres", dbname=database, autocommit=True)


def _largest_shard(conn: psycopg.Connection) -> int:
    """Rows in the largest table of a worker that holds daily sums."""
    tables = conn.execute(
        "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relname ~ '^daily_sum_.*_[0-9]+$'"
    ).fetchall()
    return max(conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for (table,) in tables)
