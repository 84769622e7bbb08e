-- Indicators of a division in the catalogue's order.
SELECT value.*, named.kind
FROM mart.indicator_value AS value
LEFT JOIN mart.indicator_name AS named ON named.indicator = value.indicator
WHERE value.division_code = :division AND value.period = :period
ORDER BY value.position
