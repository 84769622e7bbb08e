INSERT INTO quality.day_fit (stat_date, fitted_at, made_with, own, totals)
VALUES (:day, :moment, :made_with, :own, :totals)
ON CONFLICT (stat_date) DO UPDATE
SET fitted_at = excluded.fitted_at, made_with = excluded.made_with, own = excluded.own, totals = excluded.totals
