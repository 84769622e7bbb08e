-- The newest draft or version of a table, refused ones too.
SELECT issue_id, version, state, cells_sha256
FROM mart.issue
WHERE report = :report AND division_code = :division AND period = :period
ORDER BY issue_id DESC
LIMIT 1
