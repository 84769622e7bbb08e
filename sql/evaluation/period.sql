-- The period to be evaluated, held against a second evaluation at the same time.
SELECT period.period_id
FROM mart.period
WHERE period.period = :period AND period.indicated_at IS NOT NULL
FOR UPDATE
