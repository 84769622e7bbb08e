-- Versions that are issued and not delivered everywhere, in the order of their issue.
SELECT issue_id, report, division_code, period FROM mart.issue WHERE state = 'approved' ORDER BY issue_id
