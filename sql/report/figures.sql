-- Every figure of the day as people query it.
SELECT statistics.division_code, statistics.measure, statistics.channel, statistics.value
FROM mart.daily_statistics AS statistics
WHERE statistics.stat_date = :day AND statistics.value IS NOT NULL
