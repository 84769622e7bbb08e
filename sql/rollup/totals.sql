-- One level: a division's figure is what units send it plus the totals of the divisions directly below it. Written in
-- the order of the key: in any other, its index costs more than the sorting.
INSERT INTO mart.daily_total (stat_date, division_id, cell_id, value)
WITH sent AS (
    SELECT part.division_id, part.cell_id, part.value
    FROM part
    WHERE part.depth = :depth
    UNION ALL
    SELECT kin.parent_id, below.cell_id, below.value
    FROM kin
    JOIN mart.daily_total AS below ON below.stat_date = :day AND below.division_id = kin.division_id
    JOIN core.cell ON cell.cell_id = below.cell_id AND cell.channel_id <> 0
    WHERE kin.parent_depth = :depth AND NOT kin.is_leaf
),

summed AS (
    SELECT sent.division_id, sent.cell_id, sum(sent.value)::bigint AS value
    FROM sent
    GROUP BY sent.division_id, sent.cell_id
)

SELECT :day, summed.division_id, summed.cell_id, summed.value
FROM summed
UNION ALL
SELECT :day, summed.division_id, all_cell.cell_id, sum(summed.value)::bigint
FROM summed
JOIN core.cell ON cell.cell_id = summed.cell_id
JOIN core.cell AS all_cell ON all_cell.measure_id = cell.measure_id AND all_cell.channel_id = 0
GROUP BY summed.division_id, all_cell.cell_id
ORDER BY division_id, cell_id
