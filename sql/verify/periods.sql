-- Periods whose totals are as new as their days: the others wait to be shown anew.
SELECT period.period
FROM mart.period
WHERE period.kind <> 'day' AND period.totalled_at IS NOT NULL
    AND (CAST(:day AS date) IS NULL OR :day BETWEEN period.starts_on AND period.ends_on)
    AND NOT EXISTS (
        SELECT FROM mart.daily_rollup AS rollup
        WHERE rollup.stat_date BETWEEN period.starts_on AND period.ends_on
            AND rollup.rolled_up_at > period.totalled_at
    )
ORDER BY period.starts_on, period.ends_on
