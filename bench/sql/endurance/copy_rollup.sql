INSERT INTO mart.daily_rollup (stat_date, loaded_at, rolled_up_at, judged_at, units_unjudged)
SELECT rollup.stat_date + :shift, rollup.loaded_at, rollup.rolled_up_at, rollup.judged_at, '{}'
FROM mart.daily_rollup AS rollup
WHERE rollup.stat_date BETWEEN :first AND :last
