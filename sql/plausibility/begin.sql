-- The time of this judgement, and the day of the roll-up that is judged, from which dates due are counted.
SELECT
    rollup.rolled_up_at,
    (rollup.rolled_up_at AT TIME ZONE 'Asia/Shanghai')::date AS rolled_up_on
FROM mart.daily_rollup AS rollup
WHERE rollup.stat_date = :day
