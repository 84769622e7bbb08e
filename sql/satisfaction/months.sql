-- Months inside the period whose totals are there, in order.
SELECT month.period_id, month.period
FROM mart.period AS month
WHERE month.kind = 'month' AND month.starts_on >= :starts_on AND month.ends_on <= :ends_on
    AND EXISTS (SELECT FROM mart.period_reporting AS reporting WHERE reporting.period_id = month.period_id)
ORDER BY month.starts_on
