"""The oldest server supported: Debian's PostgreSQL 15 carries schema, load and roll-up like the embedded one."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from etl.connections import connection_from_env
from etl.daily import run_day
from etl.divisions import load_divisions
from etl.settings import DIVISIONS_FILE, Settings
from etl.site import open_site
from etl.warehouse import migrate, open_warehouse
from simulator.plan import FIRST, SECOND
from tests.conftest import require_program
from tests.integration.test_pipeline_truth import DAY, assert_equal_to_truth, small_world


@pytest.fixture(scope="module")
def old_server() -> Iterator[Path]:
    """A cluster of PostgreSQL 15 on a socket of its own; started by root, it works as Debian's user postgres."""
    program = "/usr/lib/postgresql/15/bin/initdb"
    require_program(program, apt="postgresql-15")
    binaries = Path(program).parent
    folder = Path(tempfile.mkdtemp(prefix="pls-pg15-", dir="/var/tmp"))
    user = None
    if os.geteuid() == 0:
        user = "postgres"
        shutil.chown(folder, user, user)

    def run(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, user=user, cwd=folder)

    # Only the two system users that work here may enter (peer), as the one superuser.
    run(
        str(binaries / "initdb"),
        "--auth=peer",
        "--username=postgres",
        "--locale=C.UTF-8",
        f"--pgdata={folder}/data",
    )
    mine = pwd.getpwuid(os.geteuid()).pw_name
    (folder / "data" / "pg_hba.conf").write_text("local all all peer map=owner\n")
    (folder / "data" / "pg_ident.conf").write_text(f"owner {mine} postgres\nowner postgres postgres\n")
    options = f"-k {folder} -c listen_addresses=''"
    run(str(binaries / "pg_ctl"), "-w", "-D", f"{folder}/data", "-o", options, "-l", f"{folder}/log", "start")
    try:
        yield folder
    finally:
        run(str(binaries / "pg_ctl"), "-w", "-m", "immediate", "-D", f"{folder}/data", "stop")
        shutil.rmtree(folder, ignore_errors=True)


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
    with small_world(tmp_path, hotline_url, "restated") as simulation:
        for name, value in {
            **simulation.environment(),
            "PLS_WAREHOUSE": url,
            "PLS_HOME": str(tmp_path),
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("PLS_CATALOG", str(simulation.catalog_dir))
        site = open_site(connection_from_env)
        try:
            run_day(site, DAY, list(site.catalog.platforms))
            assert_equal_to_truth(site, simulation.truth(FIRST))
            simulation.advance()
            run_day(site, DAY, list(site.catalog.platforms))
            assert_equal_to_truth(site, simulation.truth(SECOND))
        finally:
            site.engine.dispose()
