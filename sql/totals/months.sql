-- The months of a longer period that have totals.
SELECT coalesce(array_agg(month.period_id ORDER BY month.starts_on), '{}')
FROM mart.period AS month
WHERE month.kind = 'month' AND month.totalled_at IS NOT NULL AND month.starts_on >= :first AND month.ends_on <= :last
