-- One level: a division's figure is its own unit's plus those of the divisions directly below it. Arrays are unnested
-- in the select list: as functions of a FROM they cost three times as much.
INSERT INTO mart.daily_total (stat_date, division_id, cell_id, value)
WITH sender AS (
    SELECT touched.division_id, touched.division_id AS unit_id
    FROM touched
    WHERE touched.depth = :depth AND NOT touched.is_leaf
    UNION ALL
    SELECT kin.parent_id, kin.division_id
    FROM kin
    WHERE kin.parent_depth = :depth AND kin.is_leaf
),

part AS (
    SELECT sender.division_id, unnest(submission.cells) AS cell_id, unnest(submission.figures) AS value
    FROM sender
    JOIN core.submission
        ON submission.stat_date = :day AND submission.unit_id = sender.unit_id
        AND submission.dataset = 'daily' AND submission.known_to = 'infinity'
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
