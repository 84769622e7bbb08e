-- What was counted on the day; as flow_of_period.
INSERT INTO base (ref_id, division_id, value)
WITH figure AS (
    SELECT ref_cell.ref_id, total.division_id, sum(total.value) AS value
    FROM (
        SELECT total.division_id, unnest(total.cells) AS cell_id, unnest(total.figures) AS value
        FROM mart.daily_sum AS total
        WHERE total.stat_date = :last_day
    ) AS total
    JOIN ref_cell ON ref_cell.cell_id = total.cell_id AND NOT ref_cell.is_own
    GROUP BY ref_cell.ref_id, total.division_id
    UNION ALL
    SELECT need.ref_id, own.unit_id, sum(own.value)
    FROM core.daily_count AS own
    JOIN scope ON scope.division_id = own.unit_id AND scope.is_leaf
    JOIN ref_cell ON ref_cell.cell_id = own.cell_id AND ref_cell.is_own
    JOIN need ON need.ref_id = ref_cell.ref_id AND need.depth = scope.depth
    WHERE own.stat_date = :last_day
    GROUP BY need.ref_id, own.unit_id
)

SELECT need.ref_id, scope.division_id, coalesce(figure.value, 0)
FROM scope
JOIN need ON need.depth = scope.depth
JOIN ref ON ref.ref_id = need.ref_id AND ref.kind = 'flow'
LEFT JOIN figure ON figure.ref_id = need.ref_id AND figure.division_id = scope.division_id
WHERE scope.is_judged AND (figure.value IS NOT NULL OR scope.nil_levels & ref.owing <> 0)
