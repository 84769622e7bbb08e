-- Figures of divisions of one level in a month, quarter or year, as people query them.
SELECT
    statistics.division_code, statistics.measure, statistics.channel, statistics.value, statistics.mom, statistics.yoy
FROM mart.period_statistics AS statistics
WHERE statistics.period = :period AND statistics.level = :level
    AND statistics.measure = ANY(:measures) AND statistics.division_code IN (SELECT unnest(CAST(:codes AS text[])))
