-- How many units at or below a division fulfil what is asked. Where none said anything it is missing, or 0 where one that owes
-- it reported nil.
INSERT INTO base (ref_id, division_id, value, share)
WITH held AS (
    SELECT met.ref_id, met.holder_id, count(*) FILTER (WHERE met.is_met) AS units
    FROM met
    GROUP BY met.ref_id, met.holder_id
),

figure AS (
    SELECT held.ref_id, above.above_id AS division_id, sum(held.units) AS value
    FROM held
    JOIN above ON above.division_id = held.holder_id
    GROUP BY held.ref_id, above.above_id
    UNION ALL
    SELECT met.ref_id, met.unit_id, met.is_met::integer
    FROM met
    JOIN need ON need.ref_id = met.ref_id AND need.depth = met.depth
    WHERE NOT met.has_below
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
