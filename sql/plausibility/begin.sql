-- The roll-up that is judged, its day, from which dates due are counted, and what changed since the last judgement.
SELECT
    rollup.rolled_up_at,
    (rollup.rolled_up_at AT TIME ZONE 'Asia/Shanghai')::date AS rolled_up_on,
    rollup.units_unjudged
FROM mart.daily_rollup AS rollup
WHERE rollup.stat_date = :day
