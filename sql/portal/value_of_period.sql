-- A division's figure of a period.
SELECT statistic.value
FROM mart.period_statistics_shown(
    :period, NULL, ARRAY[CAST(:division_id AS integer)], ARRAY[CAST(:measure AS text)]
) AS statistic
WHERE statistic.channel = :channel
