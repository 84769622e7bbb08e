-- Who reported in a period at a division.
SELECT
    counted.expected,
    counted.received,
    counted.on_time,
    counted.late,
    counted.received - counted.on_time - counted.late AS late_after_cutoff,
    CASE WHEN counted.cutoff_at < statement_timestamp() THEN counted.expected - counted.received - counted.rejected END AS missing,
    counted.rejected,
    counted.received::numeric / nullif(counted.expected, 0) AS reporting_rate,
    counted.on_time::numeric / nullif(counted.expected, 0) AS on_time_rate,
    period.days_known < period.ends_on - period.starts_on + 1
        OR coalesce(counted.received < period.provisional_below * counted.expected, false) AS is_provisional
FROM mart.period_reporting AS counted
JOIN mart.period ON period.period_id = counted.period_id
WHERE counted.period_id = :period_id AND counted.division_id = :division_id
