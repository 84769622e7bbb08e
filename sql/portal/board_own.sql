-- Who has reported a day at a division and below it.
SELECT
    counted.units_expected AS expected,
    counted.received,
    counted.on_time,
    counted.late,
    counted.received - counted.on_time - counted.late AS late_after_cutoff,
    CASE WHEN counted.cutoff_at < statement_timestamp() THEN counted.units_expected - counted.received - counted.rejected END AS missing,
    counted.rejected,
    counted.received::numeric / nullif(counted.units_expected, 0) AS reporting_rate,
    counted.on_time::numeric / nullif(counted.units_expected, 0) AS on_time_rate,
    counted.cutoff_at >= statement_timestamp() AS is_provisional
FROM mart.daily_reporting AS counted
WHERE counted.stat_date = :day AND counted.division_id = :division_id
