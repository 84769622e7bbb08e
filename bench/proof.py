"""Proof that all three computed the same: the mart's and the script's totals against the floor's."""

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
FLOOR_TOTALS = """
SELECT sum(value), count(*) FROM (
    SELECT value FROM floor.total_4 UNION ALL SELECT value FROM floor.total_3
    UNION ALL SELECT value FROM floor.total_2 UNION ALL SELECT value FROM floor.total_1
) AS total
"""
PEER_TOTALS = 'SELECT sum("数值"), count(*) FROM totals'


class Unequal(Exception):
    """Two of the measured programs came to different sums: their times cannot be compared."""


def prove_mart(conn: psycopg.Connection) -> dict[str, int]:
    """Compare every figure that the mart shows with the floor's, channel totals included; returns how many figures
    were compared at each level. A nil report shows as 0, which the floor does not write. Raises Unequal."""
    compared = {}
    for level, figures, unequal in conn.execute(MART).fetchall():
        if unequal or not figures:
            raise Unequal(
                f"{unequal} figures of the mart differ from the floor's at level {level} ({figures} compared)"
            )
        compared[level] = figures
    if len(compared) < len(("province", "city", "county", "township", "village")):
        raise Unequal(f"figures were found at the levels {', '.join(compared)} only")
    return compared


def prove_peer(floor: psycopg.Connection, peer: psycopg.Connection) -> None:
    """The script's totals add up to the floor's, in the same number. Raises Unequal."""
    expected = floor.execute(FLOOR_TOTALS).fetchone()
    found = peer.execute(PEER_TOTALS).fetchone()
    if expected != found:
        raise Unequal(f"the script has (sum, rows) {found} of totals, the floor {expected}")
