-- Who reported month-end figures, as people query it.
SELECT
    rate.division_code, rate.expected, rate.received, rate.reporting_rate, rate.on_time, rate.on_time_rate, rate.late,
    rate.late_after_cutoff, rate.missing, rate.rejected
FROM mart.reporting_rate AS rate
WHERE rate.dataset = 'stocks' AND rate.stat_date = :last_day AND rate.division_code IN (SELECT unnest(CAST(:codes AS text[])))
