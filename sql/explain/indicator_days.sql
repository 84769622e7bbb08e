-- The division's own published figures of each day; `explain mart.daily_statistics` opens each further.
SELECT
    statistics.division_code AS unit_code,
    statistics.division_name AS unit_name,
    statistics.stat_date,
    statistics.measure,
    statistics.channel,
    statistics.value
FROM mart.daily_statistics AS statistics
WHERE statistics.division_code = :division AND statistics.stat_date BETWEEN :first_day AND :last_day
    AND statistics.measure = ANY(:measures) AND statistics.channel = :channel AND statistics.value IS NOT NULL
ORDER BY statistics.stat_date, statistics.measure
