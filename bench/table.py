"""The table of `python -m bench`: what the product takes, beside the least that its work can take and beside
peers."""

from __future__ import annotations

import os
from pathlib import Path

import click

from bench.archive_to_mart import measure_day
from bench.databases import Ground, connect, make_warehouse, own_server
from bench.day import DAY, FIRST_VILLAGES, cities_of, declare, dense_day, read_divisions, realistic_day
from bench.growth import measure_growth
from bench.indicators import (
    measure_indicators,
    measure_indicators_after_years,
    measure_villages,
    province_month,
)
from bench.peers.environment import install_peers, peer_versions
from bench.pulling import measure_pull, serve_city
from bench.reading import measure_reading
from bench.report import Line, describe
from bench.restated import measure_bad_rows, measure_restated
from etl.catalog import load_catalog
from etl.warehouse import ServerAddress

VILLAGES = 62_074
TEMPLATE = "bench_template"
PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

Written by `make bench`, which measures everything below anew, in one run, on one PostgreSQL; nothing here is typed.

A provincial day goes from archived bytes to the mart through the functions that a run of the DAG calls. dense: every
village fills in every cell (12 measures, three channels). realistic: villages, townships and counties report, most of
them nil. The day's sixteen platforms, one per city, are spread over pull-and-gate tasks, of which two run at a time.
Great Expectations is imported before the clock starts, as in the scheduler. Beside it, on the same bytes:

- the floor is what the server needs for the same figures when nothing is read or judged: COPY of text that is ready, a
  primary key, one GROUP BY per level, on one connection; in a line of its own, the same for the submissions too, since
  most of them are nil and have no figure;
- the script is the one that people write first: `pandas.read_csv`, `groupby` per level, `to_sql` of figures and totals
  with default settings;
- dbt: COPY of the unpacked files into a raw table, then models (bench/peers/dbt_project) of the submissions, of the
  figures, of the totals per level, measure and channel, and of who reported at each level, two threads. The time that
  dbt takes to start is not counted.

Neither the script nor dbt judges a row or keeps a revision. A bare loop reads the same bytes with the library alone and
makes rows of them; Polars reads the same files. Ratios are of the best times of several repeats (the script, dbt and
the workbook: once). A speed of 0.6 means that the bare loop would have taken 0.6 of the time.

"""


@click.command(help="Measure; with the whole province's 62,074 villages also write docs/benchmarks.md.")
@click.option(
    "--units", type=click.IntRange(1, VILLAGES), default=VILLAGES, show_default=True, help="Villages."
)
@click.option("--repeat", type=click.IntRange(1), default=3, show_default=True, help="Repeats.")
def main(units: int, repeat: int) -> None:
    """Measure everything in turn, print the page, and write it when the day was whole."""
    before = os.getloadavg()[0]
    programs = install_peers()
    with own_server() as server:
        ground = _ground(server, repeat)
        lines, equal, small = _measure(ground, units, programs)
        with connect(server, TEMPLATE) as conn:
            (version,) = conn.execute("SHOW server_version").fetchone()  # type: ignore[misc]
    notes = [
        "Compared figure by figure with the floor, channel totals included, and equal: "
        + "; ".join(equal)
        + ". The"
        " totals of the script and of dbt are the floor's, each of them; what was read adds up to what was sent.",
        small,
    ]
    versions = [f"PostgreSQL {version}", *peer_versions()]
    page = describe(lines, notes, versions, (before, os.getloadavg()[0]))
    click.echo(page)
    if units == VILLAGES:
        PAGE.write_text(HEAD + page + "\n", encoding="utf-8")


def _ground(server: ServerAddress, repeats: int) -> Ground:
    folder = Path(os.environ["PLS_HOME"]) / "catalog"
    declare(folder / "platforms", cities_of(read_divisions()))
    os.environ["PLS_CATALOG"] = str(folder)
    catalog = load_catalog(folder)
    cells = make_warehouse(server, TEMPLATE, catalog, DAY)
    with connect(server, TEMPLATE) as conn:
        divisions: dict[str, int] = dict(
            conn.execute("SELECT division_code, division_id FROM core.division").fetchall()
        )
    return Ground(server, TEMPLATE, catalog, cells, divisions, repeats)


def _measure(ground: Ground, units: int, programs: Path) -> tuple[list[Line], list[str], str]:
    """The lines, which figures were proved equal, and how large the smaller days were."""
    catalog, few = ground.catalog, min(units, FIRST_VILLAGES)
    dense, realistic = dense_day(catalog, units), realistic_day(catalog, units)
    few_dense, few_realistic = dense_day(catalog, few), realistic_day(catalog, few)
    lines, equal = [], []
    for day in (dense, realistic):
        found, words = measure_day(ground, day, programs)
        lines += found
        equal.append(words)
    with serve_city(ground) as city:
        lines += measure_pull(ground, city)
        lines += measure_reading(ground, city, (few_dense, few_realistic), programs)
    lines.append(measure_bad_rows(ground, dense))
    lines += measure_restated(ground, realistic)
    lines += measure_growth(ground, few_realistic)
    with province_month(ground) as database:
        lines.append(measure_indicators(ground, database))
        lines += measure_villages(ground, database)
    lines.append(measure_indicators_after_years(ground))
    small = (
        f"Read by family, and stored as history, are days of one city ({few:,} villages). Pulled are another city's"
        " platforms, played by the simulator; the workbooks that are read are theirs."
    )
    return lines, equal, small
