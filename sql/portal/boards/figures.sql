-- Figures of a division in a period, by measure and channel.
SELECT statistic.measure, statistic.channel, statistic.value
FROM mart.period_statistics_shown(:period, NULL, ARRAY[CAST(:division_id AS integer)]) AS statistic
