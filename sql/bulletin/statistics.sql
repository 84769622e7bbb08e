-- Measures of a division in a period, over all channels.
SELECT
    statistic.measure AS code, statistic.measure_name AS name, statistic.unit, statistic.period, statistic.value,
    statistic.value_previous, statistic.value_last_year, statistic.mom, statistic.yoy, statistic.ytd,
    statistic.expected, statistic.received, statistic.is_provisional
FROM mart.period_statistics AS statistic
WHERE statistic.period = :period AND statistic.level = :level AND statistic.division_code = :division
    AND statistic.channel = 'all' AND statistic.measure = ANY(:measures)
