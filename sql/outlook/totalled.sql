SELECT period.period_id
FROM mart.period
WHERE period.period = :period AND period.totalled_at IS NOT NULL
