-- Months after one that were rolled up and into which its stocks may have been carried.
SELECT rollup.stat_date
FROM mart.stock_rollup AS rollup
WHERE rollup.rolled_up_at IS NOT NULL AND rollup.stat_date > :day
    AND rollup.stat_date <= date_trunc('month', CAST(:day AS date)) + make_interval(months => :months + 1, days => -1)
ORDER BY rollup.stat_date
