SELECT rollup.stat_date
FROM mart.stock_rollup AS rollup
WHERE rollup.rolled_up_at IS NOT NULL AND (CAST(:day AS date) IS NULL OR rollup.stat_date = :day)
ORDER BY rollup.stat_date
