-- Whoever decides first decides: a draft that is decided already stays as it is.
UPDATE mart.issue
SET state = :state, decided_at = clock_timestamp(), decided_by = :by, reason = :reason
WHERE issue_id = :issue_id AND state IN ('drafted', 'awaiting_approval')
