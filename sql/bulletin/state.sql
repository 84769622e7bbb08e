-- When what a period shows was last written.
SELECT
    period.totalled_at,
    period.indicated_at,
    period.satisfied_at,
    period.evaluated_at,
    greatest(period.totalled_at, period.indicated_at, period.satisfied_at, period.evaluated_at) AS written_at,
    period.days_known
FROM mart.period
WHERE period.period = :period
