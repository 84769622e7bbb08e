-- Indicators of a division in the catalogue's order.
SELECT
    value.indicator, value.indicator_name, value.numerator, value.denominator, value.value, value.unit,
    value.value_previous, value.value_last_year, value.mom, value.yoy, value.ytd, value.target, value.attainment,
    value.gap, value.status, value.nature, value.source, value.is_provisional, value.completeness, value.note_zh,
    value.position, named.kind
FROM mart.indicator_value_by_id AS value
LEFT JOIN mart.indicator_name AS named ON named.indicator = value.indicator
WHERE value.division_id = :division_id AND value.period_id = :period_id
ORDER BY value.position
