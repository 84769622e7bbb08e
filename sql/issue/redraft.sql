UPDATE mart.issue
SET state = 'drafted', decided_at = NULL, decided_by = NULL, reason = NULL
WHERE issue_id = :issue_id AND state = 'refused'
