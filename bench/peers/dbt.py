"""dbt: the files' lines by COPY, then models of the same figures and of the same totals at every level."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from bench.databases import connect
from bench.process import Measured
from etl.catalog import Catalog
from etl.settings import DIVISIONS_FILE
from etl.warehouse import ServerAddress

PROJECT = Path(__file__).resolve().parent / "dbt_project"
SCHEMA = """
CREATE SCHEMA raw;
CREATE TABLE raw.line (
    unit_code text, stat_date date, channel text, measure text, value bigint, filled_at timestamp, revision integer
);
CREATE TABLE raw.division (code text PRIMARY KEY, name text, level text, parent_code text);
CREATE TABLE raw.measure (code text PRIMARY KEY, name_zh text);
CREATE TABLE raw.channel (code text PRIMARY KEY, name_zh text);
"""
COPY = sql.SQL("COPY raw.{} FROM STDIN (FORMAT csv, HEADER, ENCODING {})")


def run_dbt(
    programs: Path, server: ServerAddress, database: str, files: Mapping[str, bytes], catalog: Catalog
) -> Measured:
    """Bring the day's files into an empty database and run the models. Seconds of COPY and of the models; beside them,
    not added to them, those that dbt takes to start and to read its project."""
    with connect(server, database) as conn:
        conn.execute(SCHEMA)
        _copy(conn, "division", "UTF8", [DIVISIONS_FILE.read_bytes()])
        for table, entries in (("measure", catalog.measures), ("channel", catalog.channels)):
            lines = "".join(f"{each.code},{each.name_zh}\n" for each in entries.values())
            _copy(conn, table, "UTF8", [gzip.compress(f"code,name_zh\n{lines}".encode())])
        conn.commit()
        started = time.perf_counter()
        _copy(conn, "line", "GB18030", files.values())
        conn.commit()
        copied = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as folder:
        places = {
            "BENCH_HOST": str(server.socket_dir),
            "BENCH_DATABASE": database,
            "DBT_PROJECT_DIR": str(PROJECT),
        }
        places |= {"DBT_PROFILES_DIR": str(PROJECT), "DBT_TARGET_PATH": folder, "DBT_LOG_PATH": folder}
        started = time.perf_counter()
        subprocess.run(
            [programs / "dbt", "--quiet", "--no-version-check", "run"], env=os.environ | places, check=True
        )
        whole = time.perf_counter() - started
        models = float(json.loads((Path(folder) / "run_results.json").read_text())["elapsed_time"])
    return Measured({"COPY": copied, "models": models}, inside={"start": whole - models})


def _copy(conn: psycopg.Connection, table: str, encoding: str, packed: Iterable[bytes]) -> None:
    for each in packed:
        with conn.cursor().copy(COPY.format(sql.Identifier(table), sql.Literal(encoding))) as copy:
            copy.write(gzip.decompress(each))
