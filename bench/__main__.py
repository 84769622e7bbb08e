"""`python -m bench`: a provincial day from archived bytes to the mart, against a floor and a common script."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import psycopg
import yaml

from bench.databases import checkpoint, connect, create, drop
from bench.day import DAY, Day, dense_day, pack_files, read_divisions, realistic_day
from bench.floor import copy_text, run_floor
from bench.further import measure_bad_rows, measure_restated
from bench.indicators import measure_indicators
from bench.peer import run_peer
from bench.process import Measured, run_apart
from bench.product import archive_files, platform_id, run_product
from bench.proof import prove_mart, prove_peer
from bench.report import Shape, describe
from bench.villages import measure_villages
from etl.catalog import Catalog, Level, load_catalog
from etl.divisions import load_divisions
from etl.register import register_catalog
from etl.settings import DIVISIONS_FILE, Settings
from etl.warehouse import ServerAddress, embedded_server, migrate, open_warehouse, stop_embedded

VILLAGES = 62_074
REPEATS = 3
TEMPLATE = "bench_template"
PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

Written by `make bench`, which measures everything below anew, in one run, on one PostgreSQL; nothing here is typed.

A provincial day goes from archived bytes to the mart through the functions that a run of the DAG calls. dense: every
village fills in every cell (12 measures, three channels). realistic: villages, townships and counties report, most of
them nil. The floor is what the server needs for the same figures when nothing is read or judged: COPY of text that is
ready, a primary key, one GROUP BY per level, on one connection. The day's sixteen platforms, one per city, are spread
over pull-and-gate tasks, of which two run at a time. The script is the one that people write first:
`pandas.read_csv` of the same files, `groupby` per level, `to_sql` of figures and totals with default settings; it reads
the whole day, and neither judges a row nor keeps a revision. Great Expectations is imported before the clock starts, as
in the scheduler. Ratios are of times of the same repeat; of several repeats the best and the median are shown.

"""


@click.command(
    help="Measure a provincial day; the whole one (62,074 villages) also writes docs/benchmarks.md."
)
@click.option(
    "--units", type=click.IntRange(1, VILLAGES), default=VILLAGES, show_default=True, help="Villages."
)
@click.option("--repeat", type=click.IntRange(1), help="Repeats of each shape. Default: 3.")
def main(units: int, repeat: int | None) -> None:
    """Run both shapes, print the page, and write it when the day was whole."""
    before = os.getloadavg()[0]
    with _server() as server:
        catalog = load_catalog(Path(os.environ["PLS_CATALOG"]))
        cells, divisions = _make_template(server, catalog)
        times = repeat or REPEATS
        dense, realistic = dense_day(catalog, units), realistic_day(catalog, units)
        shapes = [
            _measure(server, day, catalog, copy_text(day, divisions, cells), times)
            for day in (dense, realistic)
        ]
        _say("bad rows")
        ratios = [measure_bad_rows(server, TEMPLATE, dense, catalog, times)]
        _say("a township that restates")
        ratios += measure_restated(server, TEMPLATE, realistic, catalog)
        _say("indicators")
        ratios += measure_indicators(server, TEMPLATE, catalog)
        _say("every village's month as a workbook")
        ratios.append(measure_villages(server, TEMPLATE))
        with connect(server, TEMPLATE) as conn:
            version = conn.execute("SHOW server_version").fetchone()
    assert version is not None
    page = describe(shapes, ratios, version[0], (before, os.getloadavg()[0]))
    click.echo(page)
    if units == VILLAGES:
        PAGE.write_text(HEAD + page + "\n", encoding="utf-8")


@contextmanager
def _server() -> Iterator[ServerAddress]:
    """An embedded server of its own, in a folder that its system user can enter; nothing of it stays."""
    home = Path(tempfile.mkdtemp(prefix="pls-bench-", dir="/var/tmp"))
    home.chmod(0o755)
    os.environ |= {"PLS_HOME": str(home / "home"), "PLS_CATALOG": str(home / "catalog")}
    os.environ.pop("PLS_ARCHIVE", None)
    try:
        declare(home / "catalog" / "platforms")
        yield embedded_server(home / "home")
    finally:
        stop_embedded(home / "home")
        shutil.rmtree(home, ignore_errors=True)


def declare(folder: Path) -> None:
    """One township platform for each city of the province."""
    folder.mkdir(parents=True)
    divisions = read_divisions()
    declared = [
        {
            "id": platform_id(city),
            "family": "csv",
            "level": ["county", "township", "village"],
            "datasets": ["daily"],
            "conn_id": "pls_bench",
            "area": [city],
            "calendar": "everyday",
        }
        for city in divisions.loc[divisions["level"] == Level.CITY, "code"]
    ]
    (folder / "bench.yaml").write_text(yaml.safe_dump(declared), encoding="utf-8")


def _make_template(
    server: ServerAddress, catalog: Catalog
) -> tuple[dict[tuple[str, str], int], dict[str, int]]:
    """A warehouse without figures; returns the numbers of its cells and of its divisions."""
    server.ensure_database(TEMPLATE)
    settings = Settings(Path(os.environ["PLS_HOME"]), server.url(TEMPLATE), "", None)
    engine = open_warehouse(settings)
    migrate(engine)
    load_divisions(engine, DIVISIONS_FILE, None, DAY)
    cells = register_catalog(engine, catalog)
    engine.dispose()
    with connect(server, TEMPLATE) as conn:
        query = "SELECT division_code, division_id FROM core.division"
        divisions: dict[str, int] = dict(conn.execute(query).fetchall())
    return cells, divisions


def _measure(server: ServerAddress, day: Day, catalog: Catalog, text: bytes, repeats: int) -> Shape:
    files = pack_files(day, catalog)
    shape = Shape(day.shape, len(day.units), len(day.figures))
    levels = set(day.units["level"])
    for number in range(1, repeats + 1):
        database = f"bench_{day.shape}_{number}"
        _say(f"{day.shape}, repeat {number} of {repeats}: archive to mart")
        create(server, database, TEMPLATE)
        os.environ["PLS_WAREHOUSE"] = server.url(database)
        archive_files(files)
        checkpoint(server, database)
        shape.product.append(run_apart(run_product))
        checkpoint(server, database)
        with connect(server, database) as conn:
            _say("floor")
            shape.floor.append(Measured(run_floor(conn, text, levels)))
            _say("comparing")
            shape.compared = prove_mart(conn)
            if number == repeats:
                _say("script")
                shape.peer = _measure_peer(server, files, conn)
        drop(server, database)
    return shape


def _measure_peer(server: ServerAddress, files: dict[str, bytes], floor: psycopg.Connection) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        for name, body in files.items():
            (Path(folder) / name).write_bytes(body)
        create(server, "bench_script", "template1")
        measured = run_apart(run_peer, Path(folder), server.url("bench_script"))
        with connect(server, "bench_script") as peer:
            prove_peer(floor, peer)
        drop(server, "bench_script")
    return measured


def _say(words: str) -> None:
    print(f"bench: {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
