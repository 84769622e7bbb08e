"""`python -m bench.drawn.plausibility`: how many planted faults the rules of plausibility find, how often they are
wrong, and what a day costs."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter

import click
import pandas as pd
import sqlalchemy as sa

from bench.databases import connect, make_warehouse, open_engine, own_server
from bench.drawn.history import Months, Planter, draw_months, load_months
from bench.drawn.hits import SHIFT_DAYS, describe_alarms, describe_hits, describe_limits, match_faults
from bench.process import Measured, peak, run_apart
from etl.catalog import Catalog, load_catalog
from etl.plausibility import flag_day
from etl.rollup import roll_up_day
from etl.settings import DIVISIONS_FILE
from etl.warehouse import ServerAddress

FIRST, START, LAST = date(2025, 11, 21), date(2026, 2, 20), date(2026, 3, 31)
"""Figures from the first day on; faults and judgement from the start on, over the Spring Festival, to the last day."""
SEED = 11
PAGE = Path(__file__).resolve().parents[2] / "docs" / "plausibility.md"
NIL_VILLAGES = """
INSERT INTO core.submission (
    stat_date, unit_id, platform_id, batch_id, dataset, revision, received_at, known_from, is_nil, cells, figures,
    row_numbers
)
SELECT day.stat_date, village.division_id, 1, 1, 'daily', 1, now(), now(), true, NULL, NULL, NULL
FROM generate_series(%s::date, %s::date, interval '1 day') AS day (stat_date)
CROSS JOIN (SELECT division_id FROM core.division_period WHERE level = 'village') AS village
WHERE extract(isodow FROM day.stat_date) < 6
    AND NOT EXISTS (
        SELECT FROM core.submission
        WHERE submission.stat_date = day.stat_date::date AND submission.unit_id = village.division_id
    )
"""
YEAR_BEFORE = """
INSERT INTO core.submission (
    stat_date, unit_id, platform_id, batch_id, dataset, revision, received_at, known_from, is_nil, cells, figures,
    row_numbers
)
SELECT
    stat_date - 364 * %s, unit_id, platform_id, batch_id, dataset, revision, received_at, known_from, is_nil, cells,
    figures, row_numbers
FROM core.submission
WHERE stat_date BETWEEN %s AND %s AND cells IS NOT NULL
"""


RESTATED = """
UPDATE mart.daily_rollup
SET units_waiting = ARRAY[unit.unit_id], units_unjudged = ARRAY[unit.unit_id]
FROM (
    SELECT min(submission.unit_id) AS unit_id
    FROM core.submission
    JOIN core.division_period AS period ON period.division_id = submission.unit_id AND period.level = 'township'
    WHERE submission.stat_date = :day AND cardinality(submission.cells) > 3
) AS unit
WHERE daily_rollup.stat_date = :day
"""


HEAD = """# Plausibility over time: what it finds, how often it is wrong, what it costs

Written by `make plausibility`, which draws, plants, judges and counts everything below anew; nothing here is typed.

The rules and their thresholds stand in etl/catalog/plausibility/rules.yaml. A flag asks about a figure; it holds
nothing back, and says nothing about a person. Judged are the figures of a whole province (16 city, 151 county and
1,853 township units, 62,074 villages) from {start} to {last}, the last days of the Spring Festival among them, with
figures from {first} on as history. Volumes, seasons, holidays and how figures hang together are the simulator's; on
top of its chance come good and bad days of each unit (coefficient of variation 0.3), market days, slow drift, genuine
busy days (2.5 times as much, 3 in 1,000 unit-days), 1 % missed reports, and, where faults are planted, ten counties
of whose villages 60 % are late for 14 days, which is no fault. It is a drawn province all the same: no real one has
been measured.
"""


@click.command(
    help="Measure hits, false alarms and cost on a province's months, and write docs/plausibility.md."
)
@click.option("--keep", type=click.Path(path_type=Path), help="Keep faults and flags in this folder (CSV).")
def main(keep: Path | None) -> None:
    """Judge every day of the months with faults and of the same months without, count, and time a day."""
    catalog = load_catalog(None)
    days = range((START - FIRST).days, (LAST - FIRST).days + 1)
    with own_server() as server:
        faults, months = _load(server, catalog, "planted"), _load(server, catalog, "clean")
        jobs = [
            (server.url(name), [FIRST + timedelta(days=day) for day in days]) for name in ("planted", "clean")
        ]
        with ProcessPoolExecutor(len(jobs), mp_context=multiprocessing.get_context("spawn")) as processes:
            list(processes.map(judge_days, *zip(*jobs, strict=True)))
        planted, clean = _read_flags(server, "planted"), _read_flags(server, "clean")
        matched = match_faults(faults.faults, planted)
        if keep is not None:
            for name, frame in (("planted", planted), ("clean", clean), ("matched", matched)):
                frame.to_csv(keep / f"{name}.csv", index=False)
        rules = [kind for kind in catalog.plausibility if kind not in ("history", "queue")]
        checks = [
            each.code for each in catalog.checks.values() if getattr(each, "scope", "") == "year_to_date"
        ]
        page = [HEAD.format(first=FIRST, start=START, last=LAST)]
        page += ["## Faults planted, and found", "", *FAULT_WORDS, *describe_hits(matched), ""]
        page += ["## False alarms", "", *ALARM_WORDS]
        page += [*describe_alarms(months, days, clean, [*rules, *checks]), ""]
        page += ["## What is not reached", "", *describe_limits(matched, months, days, clean), ""]
        click.echo("\n".join(page))
        page += ["## Cost", "", *COST_WORDS, *_cost(server)]
        page += ["", *RESTATED_WORDS, *_restated(server)]
    click.echo("\n".join(page))
    PAGE.write_text("\n".join(page) + "\n", encoding="utf-8")


FAULT_WORDS = [
    f"""A slip counts as found when a rule about counts asks about that figure on that day, as named when it says which
slip. Slips are planted 100 for each class of true figures, wherever such figures stand in cities, counties and
townships; copies at 100 counties and 240 townships drawn evenly, quiet ones among them. A shift counts as found within
{SHIFT_DAYS} days.
"""
]
ALARM_WORDS = [
    "Every flag of the same months without any fault. A unit-day is one report of one unit on one day.",
    "",
]
COST_WORDS = [
    "`flag_day` of 31 March, a month's end, once warm, in a process of its own; the window is 91 days.",
    "",
]


RESTATED_WORDS = [
    """The same among all that: 30 March, rolled up and judged, whole and after one township was restated. A month's
last day is always judged whole.
""",
]


def judge_days(url: str, days: list[date]) -> None:
    """Judge one day after the other."""
    engine = open_engine(url)
    catalog = load_catalog(None)
    for day in days:
        flag_day(engine, catalog, day)
        _say(f"{engine.url.database} {day}")


def _cost(server: ServerAddress) -> list[str]:
    """Seconds and memory of one day: as it is, among all villages' reports, and with years before."""
    lines = ["| what is stored | submissions | seconds | memory peak |", "| --- | --- | --- | --- |"]

    def measure(words: str) -> None:
        with connect(server, "clean") as conn:
            conn.execute("ANALYZE core.submission")
            count = conn.execute("SELECT count(*) FROM core.submission").fetchone()[0]  # type: ignore[index]
        run = run_apart(run_flags, server.url("clean"))
        _say(f"{words}: {run.total:.1f} s")
        lines.append(f"| {words} | {count:,} | {run.total:.1f} | {run.peak / (1 << 20):,.0f} MB |")

    measure("all but villages' nil reports")
    with connect(server, "clean") as conn:
        conn.execute("SET session_replication_role = replica")
        conn.execute(NIL_VILLAGES, (LAST - timedelta(days=92), LAST))
    measure("with the nil reports of 62,074 villages on the window's working days")
    with connect(server, "clean") as conn:
        conn.execute("SET session_replication_role = replica")
        for back in (1, 2):
            first, last = (day - timedelta(days=364 * back) for day in (FIRST, LAST))
            for month in pd.date_range(first.replace(day=1), last, freq="MS"):
                conn.execute("SELECT core.ensure_month(%s)", (month.date(),))
            conn.execute(YEAR_BEFORE, (back, FIRST, LAST))
    measure("with two years before them")
    return lines


def _restated(server: ServerAddress) -> list[str]:
    """Seconds that a restated township of a day costs, beside the whole day."""
    run = run_apart(run_restated, server.url("clean"))
    _say(f"restated: {run.seconds}")
    whole, one = run.seconds["whole"], run.seconds["one township"]
    return [
        "| what is rolled up and judged | seconds |",
        "| --- | --- |",
        f"| the whole day | {whole:.2f} |",
        f"| one township, and the divisions above it | {one:.2f} |",
    ]


def run_restated(url: str) -> Measured:
    """Roll up and judge a day whole and then for one township, each once warm."""
    engine = open_engine(url)
    catalog = load_catalog(None)
    day = LAST - timedelta(days=1)
    seconds: dict[str, float] = {}
    for name in ("whole", "one township") * 2:
        is_whole = name == "whole"
        if not is_whole:
            with engine.begin() as conn:
                conn.execute(sa.text(RESTATED), {"day": day})
        begun = perf_counter()
        roll_up_day(engine, catalog, day, whole=is_whole)
        flag_day(engine, catalog, day)
        seconds[name] = perf_counter() - begun
    return Measured(seconds, peak())


def run_flags(url: str) -> Measured:
    """Judge the last day, a month's end, once warm."""
    engine = open_engine(url)
    catalog = load_catalog(None)
    flag_day(engine, catalog, LAST)
    begun = perf_counter()
    flag_day(engine, catalog, LAST)
    return Measured({"flag_day": perf_counter() - begun}, peak())


def _load(server: ServerAddress, catalog: Catalog, name: str) -> Months:
    """The months in a database of that name; with faults in them when it is `planted`."""
    _say(f"drawing {name}")
    months = draw_months(catalog, pd.read_csv(DIVISIONS_FILE, dtype=str), FIRST, LAST, SEED)
    if name == "planted":
        Planter(months, START, SEED).plant()
    cells = make_warehouse(server, name, catalog, FIRST)
    _say(f"loading {name}")
    with connect(server, name) as conn:
        load_months(conn, months, cells)
    with connect(server, name, autocommit=True) as conn:
        conn.execute("ANALYZE")
    return months


def _read_flags(server: ServerAddress, name: str) -> pd.DataFrame:
    query = (
        "SELECT unit_code, level, stat_date, check_code, measure, channel, value, effect, score, message"
        " FROM quality.flag WHERE score IS NOT NULL"
    )
    with connect(server, name) as conn:
        cursor = conn.execute(query)
        assert cursor.description is not None
        return pd.DataFrame(cursor.fetchall(), columns=[each.name for each in cursor.description])


def _say(words: str) -> None:
    click.echo(f"plausibility: {words}", err=True)


if __name__ == "__main__":
    main()
