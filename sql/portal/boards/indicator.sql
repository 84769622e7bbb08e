-- One indicator of a division in a period.
SELECT
    value.indicator, value.indicator_name, value.numerator, value.denominator, value.value, value.unit,
    value.is_provisional, value.note_zh
FROM mart.indicator_value_by_id AS value
WHERE value.division_id = :division_id AND value.period_id = :period_id AND value.indicator = :indicator
