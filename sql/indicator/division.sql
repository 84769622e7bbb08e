-- How many divisions of some levels there are at or below each.
INSERT INTO base (ref_id, division_id, value)
WITH held AS (
    SELECT
        CASE WHEN scope.has_below THEN scope.division_id ELSE scope.parent_id END AS holder_id,
        scope.depth,
        count(*) AS divisions
    FROM scope
    GROUP BY 1, 2
),

headcount AS (
    SELECT above.above_id AS division_id, held.depth, sum(held.divisions) AS divisions
    FROM held
    JOIN above ON above.division_id = held.holder_id
    GROUP BY above.above_id, held.depth
    UNION ALL
    SELECT scope.division_id, scope.depth, 1
    FROM scope
    WHERE NOT scope.has_below
)

SELECT need.ref_id, scope.division_id, coalesce(sum(headcount.divisions) FILTER (WHERE ref.levels & (1 << headcount.depth) <> 0), 0)
FROM scope
JOIN need ON need.depth = scope.depth
JOIN ref ON ref.ref_id = need.ref_id AND ref.kind = 'division'
JOIN headcount ON headcount.division_id = scope.division_id
WHERE scope.is_judged
GROUP BY need.ref_id, scope.division_id
