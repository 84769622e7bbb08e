"""A provincial day from archived bytes to the mart, beside the floor, the script and dbt on the same bytes."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import psycopg

from bench.databases import Ground, checkpoint, connect, create, drop
from bench.day import Day, pack_files
from bench.floor import SUBMISSIONS, copy_text, run_floor
from bench.peers.dbt import run_dbt
from bench.peers.script import run_script
from bench.process import Measured, run_apart, say
from bench.product import TASKS, archive_files, run_product
from bench.proof import prove_dbt, prove_mart, prove_script
from bench.report import Line, seconds_of

FLOOR_GOALS = {"dense": 4.0, "realistic": 3.0}
SCRIPT_GOAL, DBT_GOAL = 20.0, 1.0


def measure_day(ground: Ground, day: Day, programs: Path) -> tuple[list[Line], str]:
    """The lines of one shape of day, and how many figures were proved equal, in words. programs: the peers'."""
    files = pack_files(day, ground.catalog)
    text = copy_text(day, ground.divisions, ground.cells)
    levels = set(day.units["level"])
    product, floor = [], []
    for number in range(1, ground.repeats + 1):
        say(f"{day.shape}, repeat {number} of {ground.repeats}: archive to mart, floor, proof")
        with ground.warehouse(f"bench_{day.shape}_{number}") as database:
            archive_files(files)
            checkpoint(ground.server, database)
            product.append(run_apart(run_product))
            checkpoint(ground.server, database)
            with connect(ground.server, database) as conn:
                floor.append(Measured(run_floor(conn, text, levels)))
                compared = prove_mart(conn)
                if number == ground.repeats:
                    script = _measure_script(ground, files, conn)
                    dbt = _measure_dbt(ground, files, conn, programs)
    best, least = (min(runs, key=lambda run: run.total) for runs in (product, floor))
    return (
        [*_compare(day.shape, best, least, script, dbt), *_shares(day.shape, best)],
        f"{day.shape} ({len(day.units):,} submissions, {len(day.figures):,} figures) "
        + ", ".join(f"{level} {count:,}" for level, count in compared.items()),
    )


def _compare(shape: str, product: Measured, floor: Measured, script: Measured, dbt: Measured) -> list[Line]:
    ours = f"{product.total:.2f} s, {product.peak >> 20:,} MB"
    figures = {part: seconds for part, seconds in floor.seconds.items() if part != SUBMISSIONS}
    least = sum(figures.values())
    return [
        Line(
            f"{shape}: archive to mart / floor",
            product.total / least,
            f"{ours}; floor {least:.2f} s ({seconds_of(figures)})",
            at_most=FLOOR_GOALS[shape],
        ),
        Line(
            f"{shape}: archive to mart / floor with the submissions",
            product.total / floor.total,
            f"floor {floor.total:.2f} s, with every submission under its key and who reported at each level"
            f" {floor.seconds[SUBMISSIONS]:.2f} s",
        ),
        Line(
            f"{shape}: script / archive to mart",
            script.total / product.total,
            f"script {script.total:.1f} s ({seconds_of(script.seconds)}), {script.peak >> 20:,} MB",
            at_least=SCRIPT_GOAL,
        ),
        Line(
            f"{shape}: dbt / archive to mart",
            dbt.total / product.total,
            f"dbt {dbt.total:.1f} s ({seconds_of(dbt.seconds)}); not counted: {seconds_of(dbt.inside)}",
            at_least=DBT_GOAL,
        ),
    ]


def _shares(shape: str, run: Measured) -> list[Line]:
    """Of the whole way. What is done inside the tasks shares their time as it does their work."""
    inside = sum(run.inside.values())
    shares = {
        step: (
            run.seconds[TASKS] * seconds / inside,
            f"{seconds:.2f} s added up over the tasks, two at a time",
        )
        for step, seconds in run.inside.items()
    }
    shares |= {step: (run.seconds[step], f"{run.seconds[step]:.2f} s") for step in ("load", "roll-up")}
    return [
        Line(f"{shape}: {step}, share of archive to mart", seconds / run.total, words)
        for step, (seconds, words) in shares.items()
    ]


def _measure_script(ground: Ground, files: Mapping[str, bytes], floor: psycopg.Connection) -> Measured:
    say("script")
    with tempfile.TemporaryDirectory() as folder:
        for name, body in files.items():
            (Path(folder) / name).write_bytes(body)
        create(ground.server, "bench_script", "template1")
        measured = run_apart(run_script, Path(folder), ground.server.url("bench_script"))
    with connect(ground.server, "bench_script") as script:
        prove_script(floor, script)
    drop(ground.server, "bench_script")
    return measured


def _measure_dbt(
    ground: Ground, files: Mapping[str, bytes], floor: psycopg.Connection, programs: Path
) -> Measured:
    say("dbt")
    create(ground.server, "bench_dbt", "template1")
    measured = run_dbt(programs, ground.server, "bench_dbt", files, ground.catalog)
    with connect(ground.server, "bench_dbt") as dbt:
        prove_dbt(floor, dbt)
    drop(ground.server, "bench_dbt")
    return measured
