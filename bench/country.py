"""`python -m bench.country`: a day of the whole country from archived files to the mart, beside a day of the province,
in one run on one PostgreSQL: seconds, and the memory of the process, its tasks and the server. Writes docs/country.md.

The country is Shandong's list of divisions thirty-one times under the codes of the provinces, each cut to its share of
the country's villages; every unit reports as on the realistic day of `bench.day`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import click
import pandas as pd

from bench.databases import checkpoint, own_server
from bench.day import DAY, Day, cities_of, declare, pack_files, read_divisions, realistic_day
from bench.process import Measured, run_apart
from bench.product import archive_files, run_product
from etl.catalog import Catalog, Level, load_catalog
from etl.divisions import load_divisions
from etl.register import register_catalog
from etl.settings import Settings
from etl.warehouse import ServerAddress, migrate, open_warehouse

REGIONS = (range(11, 16), range(21, 24), range(31, 38), range(41, 47), range(50, 55), range(61, 66))
PROVINCES = [str(code) for region in REGIONS for code in region]
SHANDONG = "37"
VILLAGES = 620_573
PAGE = Path(__file__).resolve().parent.parent / "docs" / "country.md"
GOAL = 12
MEGABYTE = 1 << 20
PAUSE = 0.2
"""Seconds between two looks at the server's memory."""
HEAD = """# The country

Written by `python -m bench.country`; nothing here is typed. A day of the country against a day of the province, both
from archived files to the mart, by the functions that the DAG's tasks call, two tasks at a time. Each task reads its
batches one after the other and brings at most a million rows through the gate together; the load and the roll-up are
statements in the server.

"""


@dataclass
class Size:
    """A day of so many villages. server: the most memory that PostgreSQL's processes held together, in bytes, shared
    buffers once."""

    name: str
    villages: dict[str, int]
    units: int = 0
    figures: int = 0
    measured: Measured = field(default_factory=lambda: Measured({}))
    server: int = 0


@click.command(help=__doc__)
@click.option(
    "--villages",
    type=click.IntRange(len(PROVINCES)),
    default=VILLAGES,
    show_default=True,
    help="In the country; the province has a tenth. Only all of them write the page.",
)
def main(villages: int) -> None:
    """Measure both days and print the page."""
    sizes = [
        Size("province", {SHANDONG: min(villages // 10, _all_villages())}),
        Size("country", _shares(villages)),
    ]
    before = os.getloadavg()[0]
    for size in sizes:
        with own_server() as server:
            _measure(size, Path(os.environ["PLS_HOME"]), server)
    page = HEAD + _describe(*sizes, load=(before, os.getloadavg()[0])) + "\n"
    click.echo(page)
    if villages == VILLAGES:
        PAGE.write_text(page, encoding="utf-8")


def _measure(size: Size, home: Path, server: ServerAddress) -> None:
    divisions = pd.concat([_recoded(_divisions(count), code) for code, count in size.villages.items()])
    declare(home / "catalog" / "platforms", cities_of(divisions))
    os.environ["PLS_CATALOG"] = str(home / "catalog")
    divisions.to_csv(home / "divisions.csv", index=False)
    server.ensure_database("country")
    os.environ["PLS_WAREHOUSE"] = server.url("country")
    engine = open_warehouse(Settings.from_env())
    migrate(engine)
    load_divisions(engine, home / "divisions.csv", None, DAY)
    catalog = load_catalog(home / "catalog")
    register_catalog(engine, catalog)
    engine.dispose()
    for code, count in size.villages.items():
        day = _day(catalog, code, count)
        size.units, size.figures = size.units + len(day.units), size.figures + len(day.figures)
        archive_files(pack_files(day, catalog))
    checkpoint(server, "country")
    with _watched(size, home):
        size.measured = run_apart(run_product)


def _day(catalog: Catalog, province: str, villages: int) -> Day:
    """The realistic day of a province's first villages, under its code."""
    day = realistic_day(catalog, villages)
    units, figures = (
        frame.assign(unit=province + frame["unit"].str[2:]) for frame in (day.units, day.figures)
    )
    return replace(day, units=units, figures=figures)


def _divisions(villages: int) -> pd.DataFrame:
    """The list of the first villages and all that is above them."""
    divisions = read_divisions().sort_values("code")
    kept = set(divisions.loc[divisions["level"] == Level.VILLAGE, "code"].head(villages))
    for _ in Level:
        kept |= set(divisions.loc[divisions["code"].isin(kept), "parent_code"])
    return divisions[divisions["code"].isin(kept)]


def _recoded(divisions: pd.DataFrame, province: str) -> pd.DataFrame:
    return divisions.assign(
        code=province + divisions["code"].str[2:],
        parent_code=divisions["parent_code"].where(
            divisions["parent_code"] == "", province + divisions["parent_code"].str[2:]
        ),
    )


def _all_villages() -> int:
    return int((read_divisions()["level"] == Level.VILLAGE).sum())


def _shares(villages: int) -> dict[str, int]:
    """As many in each province, the first ones one more where they do not come out even."""
    each, left = divmod(villages, len(PROVINCES))
    return {code: each + (place < left) for place, code in enumerate(PROVINCES)}


# --- the server's memory -------------------------------------------------------------------------------------------


@contextmanager
def _watched(size: Size, home: Path) -> Iterator[None]:
    """Keep the most that the server's processes held while the work was done."""
    postmaster = int((home / "postgres" / "postmaster.pid").read_text().split()[0])
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(PAUSE):
            size.server = max(size.server, _server_memory(postmaster))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        is_over.set()
        watcher.join()


def _server_memory(postmaster: int) -> int:
    """What each process has to itself, and once what they share."""
    own, shared = 0, 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            lines = dict(
                line.split(":", 1) for line in (process / "status").read_text().splitlines() if ":" in line
            )
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(lines["PPid"]) == postmaster and "RssAnon" in lines:
            own += int(lines["RssAnon"].split()[0])
            shared = max(shared, int(lines["RssShmem"].split()[0]))
    return (own + shared) * 1024


def _describe(province: Size, country: Size, load: tuple[float, float]) -> str:
    stages = list(country.measured.seconds)
    lines = [
        ("villages", *(f"{sum(each.villages.values()):,}" for each in (province, country))),
        ("submissions", f"{province.units:,}", f"{country.units:,}"),
        ("figures", f"{province.figures:,}", f"{country.figures:,}"),
        *(
            (name, *(f"{each.measured.seconds[name]:.2f} s" for each in (province, country)))
            for name in stages
        ),
        ("**archive to mart**", *(f"{each.measured.total:.2f} s" for each in (province, country))),
        (
            "memory of the process and its tasks",
            *(f"{each.measured.peak / MEGABYTE:,.0f} MB" for each in (province, country)),
        ),
        (
            "memory of PostgreSQL",
            *(f"{each.server / MEGABYTE:,.0f} MB" for each in (province, country)),
        ),
    ]
    times = {
        "villages": sum(country.villages.values()) / sum(province.villages.values()),
        "submissions": country.units / province.units,
        "figures": country.figures / province.figures,
        **{name: country.measured.seconds[name] / province.measured.seconds[name] for name in stages},
        "**archive to mart**": country.measured.total / province.measured.total,
        "memory of the process and its tasks": country.measured.peak / province.measured.peak,
        "memory of PostgreSQL": country.server / max(province.server, 1),
    }
    rows = [f"| {' | '.join(line)} | {times[line[0]]:.2f} |" for line in lines]
    return "\n".join(
        [
            "|  | province | country | times |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
            (
                f"Goal: at most {GOAL} times the province's time. Machine: {os.cpu_count()} cores; load average"
                f" {load[0]:.1f} before, {load[1]:.1f} after."
            ),
        ]
    )


if __name__ == "__main__":
    main()
