-- A period's figures of one division, measures in the catalogue's order, all channels together first.
SELECT statistic.*, measure.kind
FROM mart.period_statistics_shown(:period, NULL, CAST(:divisions AS integer[])) AS statistic
JOIN mart.measure ON measure.measure = statistic.measure
ORDER BY measure.position, statistic.channel <> 'all', statistic.channel
