-- Days, and months of stocks, that are loaded and not rolled up since.
SELECT rollup.stat_date
FROM mart.daily_rollup AS rollup
WHERE rollup.stat_date BETWEEN :first AND :last AND rollup.loaded_at IS NOT NULL
    AND (rollup.rolled_up_at IS NULL OR rollup.rolled_up_at < rollup.loaded_at)
UNION
SELECT rollup.stat_date
FROM mart.stock_rollup AS rollup
WHERE rollup.stat_date BETWEEN :first AND :last AND rollup.loaded_at IS NOT NULL
    AND (rollup.rolled_up_at IS NULL OR rollup.rolled_up_at < rollup.loaded_at)
ORDER BY 1
