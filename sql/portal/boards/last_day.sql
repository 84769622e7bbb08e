-- The last day whose submissions were counted.
SELECT max(rollup.stat_date) AS day FROM mart.daily_rollup AS rollup WHERE rollup.rolled_up_at IS NOT NULL
