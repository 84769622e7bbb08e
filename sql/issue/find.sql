SELECT *
FROM mart.issue
WHERE report = :report AND division_code = :division AND period = :period AND version = :version
    AND state IN ('approved', 'delivered', 'failed')
