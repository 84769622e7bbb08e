-- Periods that have totals, or the one of a name.
SELECT
    period.period_id,
    period.period,
    period.kind,
    period.starts_on,
    period.ends_on,
    period.days_known,
    period.days_known = period.ends_on - period.starts_on + 1 AS is_whole,
    greatest(period.totalled_at, period.indicated_at, period.satisfied_at, period.evaluated_at) AS computed_at
FROM mart.period
WHERE period.kind IN ('month', 'quarter', 'year') AND period.totalled_at IS NOT NULL
    AND (CAST(:period AS text) IS NULL OR period.period = :period)
ORDER BY period.ends_on DESC, period.starts_on
