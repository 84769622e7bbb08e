-- Indicators of a division and of those below it, in some periods.
SELECT
    indicator.division_code, indicator.period, indicator.indicator AS code, indicator.indicator_name AS name,
    indicator.unit, indicator.numerator, indicator.denominator, indicator.value, indicator.value_previous,
    indicator.value_last_year, indicator.mom, indicator.yoy, indicator.target, indicator.attainment, indicator.gap,
    indicator.status, indicator.nature, indicator.is_provisional, indicator.completeness, indicator.note_zh
FROM mart.indicator_value AS indicator
WHERE indicator.period = ANY(:periods) AND indicator.division_code = ANY(:divisions)
    AND indicator.indicator = ANY(:indicators)
