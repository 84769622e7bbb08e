-- The days that a figure of a period sums, each with its own figure.
SELECT statistic.stat_date, statistic.division_name, statistic.value, statistic.units_expected, statistic.units_reported
FROM mart.daily_statistics AS statistic
WHERE statistic.division_code = :division AND statistic.measure = :measure AND statistic.channel = :channel
    AND statistic.stat_date BETWEEN :first AND :last AND statistic.value IS NOT NULL
ORDER BY statistic.stat_date
