-- An indicator over some divisions, the best first, provisional ones last.
SELECT
    value.division_code, value.division_name, value.level, value.parent_code, value.value, value.unit, value.target,
    value.attainment, value.status, value.is_provisional, value.note_zh
FROM mart.indicator_value_by_id AS value
JOIN mart.indicator_name AS named ON named.indicator = value.indicator
WHERE value.division_id = ANY(CAST(:divisions AS integer[])) AND value.period_id = :period_id AND value.indicator = :indicator
ORDER BY
    value.is_provisional OR value.value IS NULL,
    CASE named.direction WHEN 'lower' THEN value.value ELSE -value.value END,
    value.division_code
LIMIT :limit
