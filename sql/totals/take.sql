-- A run begins to show a period, whoever named it.
INSERT INTO mart.period_naming (period, taken_at)
VALUES (:period, clock_timestamp())
ON CONFLICT (period) DO UPDATE SET taken_at = excluded.taken_at
RETURNING taken_at
