-- Months between two days that have days rolled up since they were last totalled, by their first days.
SELECT month.starts_on
FROM (
    SELECT date_trunc('month', rollup.stat_date)::date AS starts_on, max(rollup.rolled_up_at) AS rolled_up_at
    FROM mart.daily_rollup AS rollup
    WHERE rollup.stat_date BETWEEN :first AND :last
    GROUP BY 1
) AS month
LEFT JOIN mart.period ON period.kind = 'month' AND period.starts_on = month.starts_on
WHERE month.rolled_up_at IS NOT NULL
    AND (period.totalled_at IS NULL OR period.totalled_at < month.rolled_up_at)
ORDER BY month.starts_on
