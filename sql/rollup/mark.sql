INSERT INTO mart.daily_rollup (stat_date, rolled_up_at)
VALUES (:day, :moment)
ON CONFLICT (stat_date) DO UPDATE SET
    rolled_up_at = excluded.rolled_up_at,
    units_waiting = '{}',
    units_unjudged = CASE WHEN NOT :whole THEN daily_rollup.units_unjudged END
