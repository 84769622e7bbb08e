"""The oldest server supported: Debian's PostgreSQL 15 carries schema, load and roll-up like the embedded one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from etl.divisions import load_divisions
from etl.settings import DIVISIONS_FILE, Settings
from etl.warehouse import migrate, open_warehouse
from tests.conftest import require_program
from tests.integration.debian_server import debian_server
from tests.integration.test_pipeline_truth import DAY, assert_restated_day_ends_in_truth


@pytest.fixture(scope="module")
def old_server() -> Iterator[Path]:
    """The folder of its socket."""
    program = "/usr/lib/postgresql/15/bin/initdb"
    require_program(program, apt="postgresql-15")
    with debian_server(Path(program).parent, {}) as folder:
        yield folder


def test_a_day_with_restatements_ends_in_the_truth_on_postgresql_15(
    old_server: Path, tmp_path: Path, hotline_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"postgresql+psycopg://postgres@/postgres?host={old_server}"
    with psycopg.connect(host=str(old_server), user="postgres", dbname="postgres") as conn:
        assert conn.info.server_version // 10_000 == 15
    engine = open_warehouse(Settings(tmp_path, url, "", None))
    migrate(engine)
    assert migrate(engine) == []
    load_divisions(engine, DIVISIONS_FILE, None, DAY)
    engine.dispose()
    assert_restated_day_ends_in_truth(url, tmp_path, hotline_url, monkeypatch)
