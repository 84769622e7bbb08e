-- What a touched division's senders carry: one measure, where the same submission has another one in that channel too.
INSERT INTO part (depth, division_id, cell_id, value)
WITH sender AS (
    SELECT touched.division_id, touched.depth, touched.division_id AS unit_id
    FROM touched
    WHERE NOT touched.is_leaf
    UNION ALL
    SELECT kin.parent_id, kin.parent_depth, kin.division_id
    FROM kin
    WHERE kin.is_leaf
),

surveyed AS MATERIALIZED (
    SELECT sender.division_id, sender.depth, submission.cells, submission.figures
    FROM sender
    JOIN core.submission
        ON submission.stat_date = :day AND submission.unit_id = sender.unit_id
        AND submission.dataset = 'daily' AND submission.known_to = 'infinity'
    WHERE submission.cells && (SELECT array_agg(carried_cell.carrying_cell_id) FROM core.carried_cell)
        AND EXISTS (SELECT FROM part JOIN core.carried_cell ON carried_cell.carrying_cell_id = part.cell_id)
)

SELECT
    surveyed.depth,
    surveyed.division_id,
    carried.cell_id,
    sum(surveyed.figures[array_position(surveyed.cells, carried.sums_cell_id)])::bigint
FROM surveyed
JOIN core.carried_cell AS carried ON surveyed.cells @> ARRAY[carried.sums_cell_id, carried.carrying_cell_id]
GROUP BY surveyed.depth, surveyed.division_id, carried.cell_id
