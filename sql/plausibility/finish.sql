-- Units that are loaded and not rolled up yet are judged once they are.
UPDATE mart.daily_rollup
SET judged_at = :moment, units_unjudged = daily_rollup.units_waiting
WHERE daily_rollup.stat_date = :day
