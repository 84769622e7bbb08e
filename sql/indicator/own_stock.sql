-- Units' own stocks at the end of the period's last month, as far as they are counted by a condition or shown for a division
-- without others below it: as sent, 0 after a nil report, or carried forward. Arrays are unnested in the select list: as
-- functions of a FROM they cost three times as much.
CREATE TEMPORARY TABLE own_stock ON COMMIT DROP AS
WITH asked AS (
    SELECT DISTINCT condition.cell_id, condition.depth
    FROM condition
    WHERE condition.is_stock
    UNION
    SELECT ref.stock_cell, need.depth
    FROM ref
    JOIN need ON need.ref_id = ref.ref_id
    WHERE ref.stock_cell IS NOT NULL
),

sent AS (
    SELECT submission.unit_id, unnest(submission.cells) AS cell_id, unnest(submission.figures) AS value
    FROM core.submission
    WHERE submission.stat_date = :last_day AND submission.dataset = 'stocks' AND submission.known_to = 'infinity'
),

known AS (
    SELECT sent.unit_id, sent.cell_id, sent.value, NULL::date AS carried_from
    FROM sent
    UNION ALL
    SELECT nil.division_id, unnest(nil.lacking), 0, NULL
    FROM mart.stock_reporting AS nil
    WHERE nil.stat_date = :last_day AND nil.is_nil
    UNION ALL
    SELECT carried.unit_id, carried.cell_id, carried.value, carried.carried_from
    FROM mart.stock_carried AS carried
    WHERE carried.stat_date = :last_day
)

SELECT scope.division_id, scope.depth, known.cell_id, known.value, known.carried_from
FROM known
JOIN scope ON scope.division_id = known.unit_id
JOIN asked ON asked.cell_id = known.cell_id AND asked.depth = scope.depth
