-- Daily submissions of a division over a period.
SELECT reporting.expected, reporting.received, reporting.on_time
FROM mart.period_reporting AS reporting
WHERE reporting.period_id = :period_id AND reporting.division_id = :division_id
