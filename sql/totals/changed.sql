-- Days, and months' ends of stocks, with the time of their last roll-up.
SELECT rollup.stat_date, 'daily' AS dataset, rollup.rolled_up_at
FROM mart.daily_rollup AS rollup
WHERE rollup.rolled_up_at IS NOT NULL
UNION ALL
SELECT rollup.stat_date, 'stocks', rollup.rolled_up_at
FROM mart.stock_rollup AS rollup
WHERE rollup.rolled_up_at IS NOT NULL
