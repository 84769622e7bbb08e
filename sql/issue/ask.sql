-- A run asks a person about a draft; one that another run has asked about is not asked about twice.
UPDATE mart.issue
SET state = 'awaiting_approval', asked_in = :run_key
WHERE issue_id = :issue_id AND (state = 'drafted' OR (state = 'awaiting_approval' AND asked_in = :run_key))
RETURNING *
