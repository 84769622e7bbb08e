-- Figures of divisions of one level on a day, as people query them.
SELECT statistics.division_code, statistics.measure, statistics.channel, statistics.value
FROM mart.daily_statistics AS statistics
WHERE statistics.stat_date = :last_day AND statistics.level = :level AND statistics.value IS NOT NULL
    AND statistics.measure = ANY(:measures) AND statistics.division_code IN (SELECT unnest(CAST(:codes AS text[])))
