SELECT statistics.value
FROM mart.daily_statistics_as_of(:moment, :day) AS statistics
WHERE statistics.division_code = :division AND statistics.measure = :measure AND statistics.channel = :channel
