-- One level: a division's figure is its own unit's plus those of the divisions directly below it.
INSERT INTO mart.daily_total (stat_date, division_id, cell_id, value)
WITH part AS (
    SELECT touched.division_id, own.cell_id, own.value
    FROM touched
    JOIN core.daily_count AS own ON own.stat_date = :day AND own.unit_id = touched.division_id
    WHERE touched.depth = :depth AND NOT touched.is_leaf
    UNION ALL
    SELECT kin.parent_id, leaf.cell_id, leaf.value
    FROM kin
    JOIN core.daily_count AS leaf ON leaf.stat_date = :day AND leaf.unit_id = kin.division_id
    WHERE kin.parent_depth = :depth AND kin.is_leaf
    UNION ALL
    SELECT kin.parent_id, below.cell_id, below.value
    FROM kin
    JOIN mart.daily_total AS below ON below.stat_date = :day AND below.division_id = kin.division_id
    JOIN core.cell ON cell.cell_id = below.cell_id AND cell.channel_id <> 0
    WHERE kin.parent_depth = :depth AND NOT kin.is_leaf
),

summed AS (
    SELECT part.division_id, part.cell_id, sum(part.value)::bigint AS value
    FROM part
    GROUP BY part.division_id, part.cell_id
)

SELECT :day, summed.division_id, summed.cell_id, summed.value
FROM summed
UNION ALL
SELECT :day, summed.division_id, all_cell.cell_id, sum(summed.value)::bigint
FROM summed
JOIN core.cell ON cell.cell_id = summed.cell_id
JOIN core.cell AS all_cell ON all_cell.measure_id = cell.measure_id AND all_cell.channel_id = 0
GROUP BY summed.division_id, all_cell.cell_id
