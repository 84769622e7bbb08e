SELECT period.period_id
FROM mart.period
WHERE period.period = :period AND period.indicated_at IS NOT NULL
