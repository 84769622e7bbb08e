"""Reading of archived bytes, family by family, against bare loops over the same bytes, and against Polars."""

from __future__ import annotations

import gc
import gzip
import io
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import python_calamine
from pyarrow import csv

from bench.databases import Ground, connect
from bench.day import DAY, Day, pack_files, pack_pages
from bench.process import run_apart, say
from bench.proof import prove_same
from bench.pulling import HOTLINE, City
from bench.report import Line
from etl.catalog import load_catalog
from etl.connections import connection_from_env
from etl.sources import SOURCES, Pulled, pulled_of, rest, sheets

REPEATS = 5
FETCHES = 20
POLARS = Path(__file__).resolve().parent / "peers" / "read_polars.py"
COPY = f"COPY (SELECT * FROM hotline_daily WHERE stat_date = '{DAY}') TO STDOUT"


def measure_reading(ground: Ground, city: City, days: Sequence[Day], programs: Path) -> list[Line]:
    """Reading of the days as pages and as files, of the city's workbooks and of its hotline's view.

    The environment names the city's catalogue. programs: the peers'.
    """
    lines = []
    for day in days:
        total = int(day.figures["value"].sum())
        pages = [pulled_of(DAY, "submissions", pack_pages(day))]
        packed = pack_files(day, ground.catalog)
        files = [pulled_of(DAY, name, (body,)) for name, body in packed.items()]
        pages_, _ = _compare(
            f"{day.shape}: read REST, speed of a bare orjson loop", "rest", pages, total, 0.6
        )
        csv_, ours = _compare(f"{day.shape}: read CSV, speed of bare pyarrow.csv", "csv", files, total, 0.5)
        polars, threads = _read_with_polars(files, total, programs)
        words = f"Polars {polars * 1000:.0f} ms, on {threads} threads"
        lines += [*pages_, *csv_, Line(f"{day.shape}: read CSV, speed of Polars", polars / ours, words)]
    workbooks, _ = _compare(
        "read workbooks, speed of bare calamine",
        "workbook",
        city.pulled["workbook"],
        city.sent["workbook"],
        0.7,
    )
    return [*lines, *workbooks, _hotline(ground, city.sent["database"])]


def _compare(
    what: str, family: str, batches: list[Pulled], total: int, at_least: float
) -> tuple[list[Line], float]:
    """The product's reading and the bare loop's, what the product's safeguards leave of it, and the product's
    seconds."""
    say(what)
    ours, bare, guarded, size = run_apart(time_reads, family, batches, total)
    words = f"{ours * 1000:.0f} ms, bare {bare * 1000:.0f} ms; {len(batches)} batches, {size / 1e6:.1f} MB"
    lines = [Line(what, bare / ours, words, at_least=at_least)]
    if family in GUARDED:
        words = f"{guarded * 1000:.0f} ms: the bare loop, behind the bounds and looks that no input passes by"
        lines.append(Line(f"{what}: the loop alone, guarded as ours", bare / guarded, words))
    return lines, ours


def time_reads(family: str, batches: list[Pulled], total: int) -> tuple[float, float, float, int]:
    """Best seconds of the product's reader, of the bare loop and of the guarded one, by turns, and how many bytes they
    read. What both read is proved to add up to what was sent."""
    catalog = load_catalog(Path(os.environ["PLS_CATALOG"]))
    platform = catalog.platforms[f"bench-{family}"]
    loop, add_up = BARE[family]
    gc.freeze()
    ours, bare, guarded = [], [], []
    for _ in range(REPEATS):
        started = perf_counter()
        readings = [SOURCES[family].read(platform, catalog, each) for each in batches]
        ours.append(perf_counter() - started)
        prove_same(f"{family}, read", sum(int(each.rows["value"].sum()) for each in readings), total)
        started = perf_counter()
        found = [loop(part) for each in batches for part in each.parts]
        bare.append(perf_counter() - started)
        if add_up is not None:
            prove_same(f"{family}, the bare loop", sum(map(add_up, found)), total)
        started = perf_counter()
        if guard := GUARDED.get(family):
            found = [guard(part) for each in batches for part in each.parts]
            guarded.append(perf_counter() - started)
            if add_up is not None:
                prove_same(f"{family}, the guarded loop", sum(map(add_up, found)), total)
    size = sum(len(part) for each in batches for part in each.parts)
    return min(ours), min(bare), min(guarded, default=0.0), size


def _bare_pages(page: bytes) -> list[tuple[Any, ...]]:
    return _rows_of(orjson.loads(page)["data"]["items"])


def _guarded_pages(page: bytes) -> list[tuple[Any, ...]]:
    """The number of brackets bounded, and keys that stand twice looked for."""
    return _rows_of(rest._page(page, str, looks_twice=True).items)


def _rows_of(items: list[Any]) -> list[tuple[Any, ...]]:
    rows = []
    for item in items:
        unit, day, revision = item["unit"], item["date"], item["revision"]
        for each in item["values"]:
            rows.append((unit, day, revision, each["measure"], each["channel"], each["value"]))
    return rows


def _bare_csv(packed: bytes) -> pa.Table:
    return csv.read_csv(io.BytesIO(gzip.decompress(packed)), csv.ReadOptions(encoding="gb18030"))


def _bare_workbook(file: bytes) -> list[list[list[Any]]]:
    with python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(file)) as workbook:
        return [workbook.get_sheet_by_name(name).to_python() for name in workbook.sheet_names]


def _guarded_workbook(file: bytes) -> list[sheets.Sheet]:
    """Inflated within bounds, looked at for what calamine does not tell (errors, formulas without a result), and packed
    anew for it."""
    return sheets.read_sheets(file, ("日报表", "满意度"))


def _csv_total(table: pa.Table) -> int:
    is_figure = pc.invert(pc.is_in(table["指标"], pa.array(["合计", "零报告"])))
    return pc.sum(table.filter(is_figure)["数值"]).as_py() or 0


BARE: dict[str, tuple[Callable[[bytes], Any], Callable[[Any], int] | None]] = {
    "rest": (_bare_pages, lambda rows: sum(row[-1] for row in rows)),
    "csv": (_bare_csv, _csv_total),
    "workbook": (_bare_workbook, None),
}
"""Of each family the bare loop over one part, and what the figures that it found add up to; a workbook's cells do not
say which of them are figures."""


GUARDED: dict[str, Callable[[bytes], Any]] = {"rest": _guarded_pages, "workbook": _guarded_workbook}


def _read_with_polars(files: list[Pulled], total: int, programs: Path) -> tuple[float, int]:
    """Polars' best seconds, and on how many threads."""
    with tempfile.TemporaryDirectory() as folder:
        for each in files:
            (Path(folder) / each.name).write_bytes(each.parts[0])
        command = [str(programs / "python"), str(POLARS), folder, str(REPEATS)]
        told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    prove_same("Polars", told["total"], total)
    return min(told["seconds"]), told["threads"]


def _hotline(ground: Ground, total: int) -> Line:
    """A day of the view, from connecting to rows, against a COPY of the same rows on a connection of its own."""
    catalog = load_catalog(Path(os.environ["PLS_CATALOG"]))
    platform = catalog.platforms["bench-database"]
    connection, source = connection_from_env(platform.conn_id), SOURCES["database"]
    ours, bare = [], []
    for _ in range(FETCHES):
        started = perf_counter()
        (pulled,) = source.pull_day(platform, connection, DAY, ()).pulled
        reading = source.read(platform, catalog, pulled)
        ours.append(perf_counter() - started)
        prove_same("hotline, read", int(reading.rows["value"].sum()), total)
        started = perf_counter()
        with connect(ground.server, HOTLINE) as conn, conn.cursor().copy(COPY) as copy:
            rows = list(copy.rows())
        bare.append(perf_counter() - started)
        prove_same("hotline, rows", len(reading.submissions), len(rows))
    words = (
        f"{min(ours) * 1000:.1f} ms, bare {min(bare) * 1000:.1f} ms; {len(rows)} rows, connecting included"
    )
    return Line("pull and read hotline view, speed of a bare COPY", min(bare) / min(ours), words)
