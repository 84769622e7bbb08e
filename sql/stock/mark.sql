INSERT INTO mart.stock_rollup (stat_date, rolled_up_at)
VALUES (:day, :moment)
ON CONFLICT (stat_date) DO UPDATE SET rolled_up_at = excluded.rolled_up_at
