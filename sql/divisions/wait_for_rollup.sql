-- Days and months already in the marts whose divisions have changed wait to be rolled up whole.
WITH waiting_month AS (
    UPDATE mart.stock_rollup
    SET rolled_up_at = NULL, loaded_at = coalesce(loaded_at, rolled_up_at)
    WHERE stat_date >= CAST(:valid_from AS date) AND rolled_up_at IS NOT NULL
)

UPDATE mart.daily_rollup
SET rolled_up_at = NULL, loaded_at = coalesce(loaded_at, rolled_up_at)
WHERE stat_date >= CAST(:valid_from AS date) AND rolled_up_at IS NOT NULL
