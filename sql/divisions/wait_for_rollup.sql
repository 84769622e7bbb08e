-- Days already in the marts whose divisions have changed wait to be rolled up whole.
UPDATE mart.daily_rollup
SET rolled_up_at = NULL
WHERE stat_date >= CAST(:valid_from AS date) AND rolled_up_at IS NOT NULL
