-- When the day was last rolled up.
SELECT rollup.rolled_up_at AS counted_at
FROM mart.daily_rollup AS rollup
WHERE rollup.stat_date = :day AND rollup.rolled_up_at IS NOT NULL
