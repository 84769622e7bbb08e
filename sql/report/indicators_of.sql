-- Indicators of divisions in a period, as people query them; is_small: made of survey answers that are too few to
-- show (ruling 18), of all channels or of one.
SELECT
    indicator.division_code, indicator.indicator, indicator.numerator, indicator.denominator, indicator.value,
    indicator.mom, indicator.yoy, indicator.ytd, indicator.target, indicator.attainment, indicator.status,
    indicator.is_provisional, indicator.completeness, indicator.note_zh,
    indicator.indicator = ANY(:of_survey) AND NOT coalesce(sample.is_shown, false)
    OR indicator.indicator = ANY(:of_channel) AND NOT coalesce(sample.are_all_shown, false) AS is_small
FROM mart.indicator_value AS indicator
LEFT JOIN (
    SELECT
        satisfaction.division_code,
        bool_and(satisfaction.is_shown) AS are_all_shown,
        bool_and(satisfaction.is_shown) FILTER (WHERE satisfaction.channel = 'all') AS is_shown
    FROM mart.satisfaction
    WHERE satisfaction.period = :period AND satisfaction.division_code IN (SELECT unnest(CAST(:codes AS text[])))
    GROUP BY satisfaction.division_code
) AS sample ON sample.division_code = indicator.division_code
WHERE indicator.period = :period AND indicator.indicator = ANY(:indicators) AND indicator.division_code IN (SELECT unnest(CAST(:codes AS text[])))
