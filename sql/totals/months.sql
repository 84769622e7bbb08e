-- The months inside a longer period that have totals, in order.
SELECT month.period_id, month.period
FROM mart.period AS month
WHERE month.kind = 'month' AND month.totalled_at IS NOT NULL AND month.starts_on >= :first AND month.ends_on <= :last
ORDER BY month.starts_on
