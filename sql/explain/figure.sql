SELECT statistics.value
FROM mart.daily_statistics AS statistics
WHERE statistics.division_code = :division AND statistics.stat_date = :day AND statistics.measure = :measure
    AND statistics.channel = :channel
