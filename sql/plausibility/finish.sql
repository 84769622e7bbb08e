UPDATE mart.daily_rollup
SET judged_at = :moment
WHERE daily_rollup.stat_date = :day
