-- Periods by name, and what was written of them when.
SELECT
    period.period,
    period.period_id,
    period.totalled_at IS NOT NULL AS is_totalled,
    CASE WHEN period.indicated_at IS NOT NULL THEN coalesce(period.catalog_digest, '') END AS catalog,
    greatest(period.totalled_at, period.indicated_at, period.satisfied_at, period.evaluated_at) AS written_at
FROM mart.period
WHERE period.period = ANY(:names)
