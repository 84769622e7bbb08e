"""Proof that all computed the same: the totals of the mart, of the script and of dbt against the floor's."""

from __future__ import annotations

import psycopg

MART = """
WITH floor AS (
    SELECT fact.unit_id AS division_id, fact.cell_id, fact.value
    FROM floor.fact JOIN floor.place ON place.division_id = fact.unit_id AND place.depth = 5
    UNION ALL SELECT division_id, cell_id, value FROM floor.total_4
    UNION ALL SELECT division_id, cell_id, value FROM floor.total_3
    UNION ALL SELECT division_id, cell_id, value FROM floor.total_2
    UNION ALL SELECT division_id, cell_id, value FROM floor.total_1
),

expected AS (
    SELECT division_id, cell_id, value FROM floor
    UNION ALL
    SELECT floor.division_id, all_cell.cell_id, sum(floor.value)
    FROM floor
    JOIN core.cell USING (cell_id)
    JOIN core.cell AS all_cell ON all_cell.measure_id = cell.measure_id AND all_cell.channel_id = 0
    GROUP BY floor.division_id, all_cell.cell_id
),

found AS (
    SELECT division.division_id, cell.cell_id, shown.value
    FROM mart.daily_statistics AS shown
    JOIN core.division ON division.division_code = shown.division_code
    JOIN core.measure ON measure.measure = shown.measure
    JOIN core.channel ON channel.channel = shown.channel
    JOIN core.cell ON cell.measure_id = measure.measure_id AND cell.channel_id = channel.channel_id
)

SELECT
    level.level,
    count(expected.division_id),
    count(*) FILTER (WHERE coalesce(expected.value, 0) <> coalesce(found.value, 0))
FROM expected
FULL JOIN found USING (division_id, cell_id)
JOIN floor.place USING (division_id)
JOIN core.level ON level.depth = place.depth
GROUP BY level.level, level.depth
ORDER BY level.depth
"""
# How many totals there are, what they add up to, and a number that the key and the value of each go into.
FINGERPRINT = """
SELECT count(*), sum(value), sum(hashtextextended(concat_ws(' ', division, measure, channel, value), 0)::numeric)
FROM ({totals}) AS total (division, measure, channel, value)
"""
FLOOR_TOTALS = """
SELECT division.division_code, measure.measure{name}, channel.channel{name}, total.value
FROM (
    SELECT division_id, cell_id, value FROM floor.total_4
    UNION ALL SELECT division_id, cell_id, value FROM floor.total_3
    UNION ALL SELECT division_id, cell_id, value FROM floor.total_2
    UNION ALL SELECT division_id, cell_id, value FROM floor.total_1
) AS total
JOIN core.division USING (division_id)
JOIN core.cell USING (cell_id)
JOIN core.measure USING (measure_id)
JOIN core.channel USING (channel_id)
"""
OVER_CHANNELS = """
SELECT * FROM ({totals}) AS total
UNION ALL
SELECT division_code, measure, 'all', sum(value) FROM ({totals}) AS total GROUP BY division_code, measure
"""
SCRIPT_TOTALS = 'SELECT code, "指标", "渠道", "数值" FROM totals'
MART_REPORTING = """
SELECT division.division_code, 'reported', '', reporting.units_reported
FROM mart.daily_reporting AS reporting JOIN core.division USING (division_id)
WHERE reporting.units_reported > 0
"""
FLOOR_REPORTING = """
SELECT division.division_code, 'reported', '', reporting.reported
FROM (
    SELECT division_id, reported FROM floor.reporting_5
    UNION ALL SELECT division_id, reported FROM floor.reporting_4
    UNION ALL SELECT division_id, reported FROM floor.reporting_3
    UNION ALL SELECT division_id, reported FROM floor.reporting_2
    UNION ALL SELECT division_id, reported FROM floor.reporting_1
) AS reporting
JOIN core.division USING (division_id)
"""
DBT_TOTALS = " UNION ALL ".join(
    f"SELECT * FROM total_{level}" for level in ("township", "county", "city", "province")
)
DBT_REPORTING = " UNION ALL ".join(
    f"SELECT division_code, 'reported', '', units_reported FROM reporting_{level}"
    for level in ("village", "township", "county", "city", "province")
)


class Unequal(Exception):
    """Two of the measured programs came to different sums: their times cannot be compared."""


def prove_mart(conn: psycopg.Connection) -> dict[str, int]:
    """Compare every figure that the mart shows with the floor's, channel totals included, and who reported; returns how
    many figures were compared at each level. A nil report shows as 0, which the floor does not write.

    Raises Unequal.
    """
    compared = {}
    for level, figures, unequal in conn.execute(MART).fetchall():
        if unequal or not figures:
            raise Unequal(
                f"{unequal} figures of the mart differ from the floor's at level {level} ({figures} compared)"
            )
        compared[level] = figures
    if len(compared) < len(("province", "city", "county", "township", "village")):
        raise Unequal(f"figures were found at the levels {', '.join(compared)} only")
    _prove(conn, MART_REPORTING, conn, FLOOR_REPORTING, "of who reported, the floor")
    return compared


def prove_script(floor: psycopg.Connection, script: psycopg.Connection) -> None:
    """The script's totals are the floor's, every one of them. Raises Unequal."""
    _prove(floor, FLOOR_TOTALS.format(name="_name"), script, SCRIPT_TOTALS, "the script")


def prove_dbt(floor: psycopg.Connection, dbt: psycopg.Connection) -> None:
    """dbt's totals and who reported are the floor's, every one of them; totals add up over channels. Raises Unequal."""
    totals = OVER_CHANNELS.format(totals=FLOOR_TOTALS.format(name=""))
    _prove(floor, totals, dbt, DBT_TOTALS, "dbt")
    _prove(floor, FLOOR_REPORTING, dbt, DBT_REPORTING, "of who reported, dbt")


def _prove(floor: psycopg.Connection, expected: str, peer: psycopg.Connection, found: str, who: str) -> None:
    asked, told = (
        conn.execute(FINGERPRINT.format(totals=query).encode()).fetchone()
        for conn, query in ((floor, expected), (peer, found))
    )
    if asked != told or not asked or not asked[0]:
        raise Unequal(f"{who} has (count, sum, fingerprint) {told}, expected was {asked}")


def prove_same(what: str, ours: object, theirs: object) -> None:
    """Two programs found the same, and found something. Raises Unequal."""
    if ours != theirs or not ours:
        raise Unequal(f"{what}: the product has {ours}, the other {theirs}")
