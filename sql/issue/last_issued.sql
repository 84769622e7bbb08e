SELECT *
FROM mart.issue
WHERE report = :report AND division_code = :division AND period = :period
    AND state IN ('approved', 'delivered', 'failed')
ORDER BY version DESC
LIMIT 1
