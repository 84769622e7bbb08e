SELECT statistic.value
FROM mart.period_statistics AS statistic
WHERE statistic.period = :period AND statistic.division_code = :division AND statistic.measure = :measure
    AND statistic.channel = :channel
