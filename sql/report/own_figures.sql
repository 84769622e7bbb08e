-- What the units of each level reported themselves, nothing of those below them; channel 'all' is the total.
SELECT
    period.level,
    measure.measure,
    CASE WHEN grouping(channel.channel) = 1 THEN 'all' ELSE channel.channel END AS channel,
    sum(own.value)::bigint AS value
FROM core.daily_count AS own
JOIN core.division_period AS period
    ON period.division_id = own.unit_id
    AND period.valid_from <= own.stat_date AND own.stat_date < period.valid_to
JOIN core.cell ON cell.cell_id = own.cell_id
JOIN core.measure ON measure.measure_id = cell.measure_id
JOIN core.channel ON channel.channel_id = cell.channel_id
WHERE own.stat_date = :day
GROUP BY GROUPING SETS ((period.level, measure.measure, channel.channel), (period.level, measure.measure))
