-- Indicators of a division in the catalogue's order.
SELECT value.*, named.kind
FROM mart.indicator_value_by_id AS value
LEFT JOIN mart.indicator_name AS named ON named.indicator = value.indicator
WHERE value.division_id = :division_id AND value.period_id = :period_id
ORDER BY value.position
