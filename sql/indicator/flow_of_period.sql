-- What was counted over the period. Without a row it is 0 where a unit that owes it reported nil, otherwise missing.
INSERT INTO base (ref_id, division_id, value)
WITH figure AS (
    SELECT ref_cell.ref_id, total.division_id, sum(total.value) AS value
    FROM (
        SELECT total.division_id, unnest(total.cells) AS cell_id, unnest(total.figures) AS value
        FROM mart.period_sum AS total
        WHERE total.period_id = :period_id
    ) AS total
    JOIN ref_cell ON ref_cell.cell_id = total.cell_id AND NOT ref_cell.is_own
    GROUP BY ref_cell.ref_id, total.division_id
    UNION ALL
    SELECT need.ref_id, own.unit_id, sum(own.value)
    FROM (
        SELECT own.unit_id, unnest(own.cells) AS cell_id, unnest(own.figures) AS value
        FROM mart.unit_sum AS own
        WHERE own.period_id = :period_id
    ) AS own
    JOIN scope ON scope.division_id = own.unit_id AND scope.is_leaf
    JOIN ref_cell ON ref_cell.cell_id = own.cell_id AND ref_cell.is_own
    JOIN need ON need.ref_id = ref_cell.ref_id AND need.depth = scope.depth
    GROUP BY need.ref_id, own.unit_id
)

SELECT need.ref_id, scope.division_id, coalesce(figure.value, 0)
FROM scope
JOIN need ON need.depth = scope.depth
JOIN ref ON ref.ref_id = need.ref_id AND ref.kind = 'flow'
LEFT JOIN figure ON figure.ref_id = need.ref_id AND figure.division_id = scope.division_id
WHERE scope.is_judged AND (figure.value IS NOT NULL OR scope.nil_levels & ref.owing <> 0)
