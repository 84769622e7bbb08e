-- How many units at or below a division fulfil what is asked. Where none said anything it is missing, or 0 where one that owes
-- it reported nil.
INSERT INTO base (ref_id, division_id, value, share)
WITH figure AS (
    SELECT met.ref_id, above.above_id AS division_id, sum(met.units) AS value
    FROM met
    JOIN above ON above.division_id = met.holder_id
    GROUP BY met.ref_id, above.above_id
    UNION ALL
    SELECT met.ref_id, met.unit_id, met.units
    FROM met
    WHERE met.unit_id IS NOT NULL
)

SELECT
    need.ref_id,
    scope.division_id,
    coalesce(figure.value, 0),
    least(stock.units_reported::numeric / nullif(stock.units_expected, 0), 1)
FROM scope
JOIN need ON need.depth = scope.depth
JOIN ref ON ref.ref_id = need.ref_id AND ref.kind = 'unit'
LEFT JOIN figure ON figure.ref_id = need.ref_id AND figure.division_id = scope.division_id
LEFT JOIN stocked AS stock ON stock.cell_id = ref.stock_cell AND stock.division_id = scope.division_id
WHERE scope.is_judged AND (figure.value IS NOT NULL OR scope.nil_levels & ref.owing <> 0)
