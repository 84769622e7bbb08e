-- Who reported the daily figures of a period, per division.
SELECT
    rate.division_code, rate.expected, rate.received, rate.on_time, rate.late, rate.late_after_cutoff, rate.missing,
    rate.rejected, rate.reporting_rate, rate.on_time_rate
FROM mart.reporting_rate AS rate
WHERE rate.dataset = 'daily' AND rate.period = :period AND rate.division_code = ANY(:divisions)
