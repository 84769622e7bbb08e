"""The floor: what the server itself needs for the same figures, nothing read, nothing judged, nobody told.

COPY of text that is ready, a primary key, then one GROUP BY per level from the level below, on one connection.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
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
"""
PARTS = ("COPY", "primary key", "GROUP BY")


def copy_text(day: Day, units: Mapping[str, int], cells: Mapping[tuple[str, str], int]) -> bytes:
    """The day's figures as COPY takes them: numbers of unit and cell, value."""
    cell = pd.MultiIndex.from_frame(day.figures[["measure", "channel"]]).map(dict(cells))
    columns = [day.figures["unit"].map(dict(units)), cell, day.figures["value"]]
    lines = pd.DataFrame(dict(enumerate(map(list, columns))))
    text: str = lines.to_csv(sep="\t", header=False, index=False, lineterminator="\n")
    return text.encode()


def run_floor(conn: psycopg.Connection, text: bytes, levels: set[str]) -> dict[str, float]:
    """Write the figures and their totals into tables of the schema `floor`; returns seconds by part.

    `levels`: those at which units report, so that nothing is looked for where nothing can be.
    """
    conn.execute(SCHEMA)
    conn.commit()
    times = [time.perf_counter()]
    with conn.cursor().copy("COPY floor.fact (unit_id, cell_id, value) FROM STDIN") as copy:
        copy.write(text)
    times.append(time.perf_counter())
    conn.execute("ALTER TABLE floor.fact ADD PRIMARY KEY (unit_id, cell_id)")
    times.append(time.perf_counter())
    for depth in range(len(Level) - 1, 0, -1):
        conn.execute(_group_by(depth, levels).encode())
    conn.commit()
    times.append(time.perf_counter())
    return {part: end - start for part, (start, end) in zip(PARTS, pairwise(times), strict=True)}


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
