-- What a target refused is tried again: of some deliveries, or of all.
WITH again AS (
    UPDATE mart.delivery
    SET state = 'waiting', told_at = NULL
    WHERE state = 'failed' AND (CAST(:ids AS bigint[]) IS NULL OR delivery_id = ANY(CAST(:ids AS bigint[])))
    RETURNING issue_id
)

UPDATE mart.issue
SET state = 'approved'
FROM again
WHERE issue.issue_id = again.issue_id AND issue.state = 'failed'
