SELECT
    issue.issue_id, issue.report, issue.division_name, issue.division_code, issue.period, issue.version, issue.state,
    issue.decided_at, issue.decided_by, issue.reason, issue.cells_changed
FROM mart.issue
ORDER BY issue.issue_id
