"""The floor: what the server itself needs for the same figures, nothing read, nothing judged, nobody told.

COPY of text that is ready, a primary key, then one GROUP BY per level from the level below, on one connection. The same
of the submissions stands apart: nil reports have no figure, and are most of a realistic day.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pandas as pd
import psycopg

from bench.day import Day
from etl.catalog import Level

SCHEMA = """
DROP SCHEMA IF EXISTS floor CASCADE;
CREATE SCHEMA floor;
CREATE TABLE floor.place AS
SELECT period.division_id, period.parent_id, level.depth
FROM core.division_period AS period JOIN core.level USING (level);
ALTER TABLE floor.place ADD PRIMARY KEY (division_id);
ANALYZE floor.place;
CREATE TABLE floor.fact (unit_id integer NOT NULL, cell_id smallint NOT NULL, value bigint NOT NULL);
CREATE TABLE floor.submission (
    unit_id integer NOT NULL, batch_id bigint NOT NULL, revision bigint NOT NULL, received_at timestamptz NOT NULL,
    is_nil boolean NOT NULL
);
"""
PARTS = ("COPY", "primary key", "GROUP BY", "submissions")
SUBMISSIONS = PARTS[-1]


@dataclass(frozen=True)
class CopyText:
    """A day as COPY takes it: figures (unit, cell, value), submissions (unit, batch, revision, time, whether nil)."""

    figures: bytes
    submissions: bytes


def copy_text(day: Day, units: Mapping[str, int], cells: Mapping[tuple[str, str], int]) -> CopyText:
    """The day with the warehouse's numbers of units and cells."""
    cell = pd.MultiIndex.from_frame(day.figures[["measure", "channel"]]).map(dict(cells))
    unit = day.units["unit"]
    figures = [day.figures["unit"].map(dict(units)), cell, day.figures["value"]]
    is_nil = (~unit.isin(day.figures["unit"])).map({True: "t", False: "f"})
    stamp = pd.Series("2026-03-02 18:00:00+08", index=unit.index)
    sent = [unit.map(dict(units)), unit.str[:6], pd.Series(1, index=unit.index), stamp, is_nil]
    return CopyText(_lines(figures), _lines(sent))


def _lines(columns: Sequence[Iterable[object]]) -> bytes:
    text: str = pd.DataFrame(dict(enumerate(map(list, columns)))).to_csv(
        sep="\t", header=False, index=False, lineterminator="\n"
    )
    return text.encode()


def run_floor(conn: psycopg.Connection, text: CopyText, levels: set[str]) -> dict[str, float]:
    """Write figures, totals, submissions and who reported into tables of the schema `floor`; returns seconds by part.

    `levels`: those at which units report, so that nothing is looked for where nothing can be.
    """
    conn.execute(SCHEMA)
    conn.commit()
    times = [time.perf_counter()]
    with conn.cursor().copy("COPY floor.fact (unit_id, cell_id, value) FROM STDIN") as copy:
        copy.write(text.figures)
    times.append(time.perf_counter())
    conn.execute("ALTER TABLE floor.fact ADD PRIMARY KEY (unit_id, cell_id)")
    times.append(time.perf_counter())
    for depth in range(len(Level) - 1, 0, -1):
        conn.execute(_group_by(depth, levels).encode())
    conn.commit()
    times.append(time.perf_counter())
    with conn.cursor().copy("COPY floor.submission FROM STDIN") as copy:
        copy.write(text.submissions)
    conn.execute("ALTER TABLE floor.submission ADD PRIMARY KEY (unit_id, revision)")
    for depth in range(len(Level), 0, -1):
        conn.execute(_reporting(depth, levels).encode())
    conn.commit()
    times.append(time.perf_counter())
    return {part: end - start for part, (start, end) in zip(PARTS, pairwise(times), strict=True)}


def _reporting(depth: int, levels: set[str]) -> str:
    """Who reported at one level: the units themselves, and the level below."""
    parts = []
    if depth < len(Level):
        parts.append(
            f"SELECT place.parent_id, below.reported FROM floor.reporting_{depth + 1} AS below"
            " JOIN floor.place USING (division_id)"
        )
    if [level.value for level in Level][depth - 1] in levels:
        parts.append(
            "SELECT sent.unit_id, 1 FROM floor.submission AS sent"
            f" JOIN floor.place ON place.division_id = sent.unit_id AND place.depth = {depth}"
        )
    return (
        f"CREATE TABLE floor.reporting_{depth} (division_id, reported) AS"
        " SELECT part.division_id, sum(part.reported)::integer"
        f" FROM ({' UNION ALL '.join(parts)}) AS part (division_id, reported) GROUP BY part.division_id"
    )


def _group_by(depth: int, levels: set[str]) -> str:
    """One level: the totals of the level below, or the units' own figures where there is no table of totals."""
    names = [level.value for level in Level]
    below = "floor.fact" if depth == len(Level) - 1 else f"floor.total_{depth + 1}"
    unit = "unit_id" if depth == len(Level) - 1 else "division_id"
    figures = (
        f"SELECT place.parent_id AS division_id, below.cell_id, below.value FROM {below} AS below"
        f" JOIN floor.place ON place.division_id = below.{unit} AND place.depth = {depth + 1}"
    )
    if names[depth - 1] in levels:
        figures += (
            " UNION ALL SELECT fact.unit_id, fact.cell_id, fact.value FROM floor.fact"
            f" JOIN floor.place ON place.division_id = fact.unit_id AND place.depth = {depth}"
        )
    return (
        f"CREATE TABLE floor.total_{depth} AS SELECT part.division_id, part.cell_id, sum(part.value)::bigint AS value"
        f" FROM ({figures}) AS part GROUP BY part.division_id, part.cell_id"
    )
