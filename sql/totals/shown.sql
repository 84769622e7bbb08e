-- Periods with the time of their last indicators; not those that were begun an hour ago and have not come to their end.
SELECT period.period, period.indicated_at
FROM mart.period
WHERE period.indicated_at IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM mart.period_named AS named
        WHERE named.period = period.period AND named.taken_at < clock_timestamp() - interval '1 hour'
    )
