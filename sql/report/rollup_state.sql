-- Whether the day was rolled up, and after its last load.
SELECT
    rollup.rolled_up_at IS NOT NULL AS is_rolled_up,
    rollup.loaded_at IS NOT NULL AND rollup.rolled_up_at < rollup.loaded_at AS is_waiting
FROM mart.daily_rollup AS rollup
WHERE rollup.stat_date = :day
