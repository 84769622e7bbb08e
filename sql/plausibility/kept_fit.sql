SELECT day_fit.fitted_at, day_fit.own, day_fit.totals
FROM quality.day_fit
WHERE day_fit.stat_date = :day AND day_fit.made_with = :made_with
