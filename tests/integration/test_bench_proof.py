"""The benchmark compares only programs that computed the same: one total that differs ends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from bench.databases import open_engine
from bench.day import pack_files, realistic_day
from bench.floor import copy_text, run_floor
from bench.peers.script import run_script
from bench.proof import Unequal, prove_dbt, prove_script
from etl.catalog import load_catalog
from etl.register import register_catalog

LEVELS = ("township", "county", "city", "province")


@pytest.fixture
def floor(database: Callable[[], str], tmp_path: Path) -> Iterator[psycopg.Connection]:
    """The floor's totals of a small day, and the script's beside them."""
    catalog = load_catalog(None)
    url = database()
    engine = open_engine(url)
    cells = register_catalog(engine, catalog)
    engine.dispose()
    day = realistic_day(catalog, 40)
    for name, body in pack_files(day, catalog).items():
        (tmp_path / name).write_bytes(body)
    run_script(tmp_path, url)
    with psycopg.connect(url.replace("+psycopg", "")) as conn:
        divisions = dict(conn.execute("SELECT division_code, division_id FROM core.division").fetchall())
        run_floor(conn, copy_text(day, divisions, cells), set(day.units["level"]))
        yield conn


def test_the_scripts_totals_must_each_be_the_floors(floor: psycopg.Connection) -> None:
    prove_script(floor, floor)
    # One more in one place, one less in another: what they add up to stays.
    floor.execute("""
        WITH chosen AS (SELECT ctid, row_number() OVER (ORDER BY code, "渠道", "指标") AS number FROM totals)
        UPDATE totals SET "数值" = "数值" + CASE number WHEN 1 THEN 1 ELSE -1 END
        FROM chosen WHERE chosen.ctid = totals.ctid AND number <= 2
    """)
    with pytest.raises(Unequal, match="script"):
        prove_script(floor, floor)


def test_dbts_totals_and_reporting_must_each_be_the_floors(floor: psycopg.Connection) -> None:
    for depth, level in enumerate(reversed(LEVELS), 1):
        floor.execute(f"""
            CREATE TABLE total_{level} AS
            SELECT division_code, measure, coalesce(channel, 'all') AS channel, sum(value)::bigint AS value
            FROM floor.total_{depth}
            JOIN core.division USING (division_id) JOIN core.cell USING (cell_id)
            JOIN core.measure USING (measure_id) JOIN core.channel USING (channel_id)
            GROUP BY GROUPING SETS ((division_code, measure, channel), (division_code, measure))
        """)
    for depth, level in enumerate((*reversed(LEVELS), "village"), 1):
        floor.execute(f"""
            CREATE TABLE reporting_{level} AS
            SELECT division_code, reported AS units_reported
            FROM floor.reporting_{depth} JOIN core.division USING (division_id)
        """)
    prove_dbt(floor, floor)
    floor.execute("UPDATE reporting_city SET units_reported = units_reported + 1")
    with pytest.raises(Unequal, match="who reported, dbt"):
        prove_dbt(floor, floor)
    floor.execute("UPDATE reporting_city SET units_reported = units_reported - 1")
    floor.execute(
        "DELETE FROM total_city WHERE channel = 'all' AND measure = (SELECT min(measure) FROM total_city)"
    )
    with pytest.raises(Unequal, match="dbt"):
        prove_dbt(floor, floor)
