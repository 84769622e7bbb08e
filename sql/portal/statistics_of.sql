-- A period's figures of some divisions and measures over all channels.
SELECT statistic.division_code, statistic.measure, statistic.value, statistic.mom, statistic.yoy, statistic.is_provisional
FROM mart.period_statistics_shown(
    :period, NULL, CAST(:divisions AS integer[]), CAST(:measures AS text[])
) AS statistic
WHERE statistic.channel = 'all'
