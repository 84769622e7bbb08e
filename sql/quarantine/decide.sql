-- A decision about rows that are still held; those decided meanwhile stay as they are.
WITH decided AS (
    UPDATE quality.quarantine
    SET state = :action
    WHERE quarantine.quarantine_id = ANY(:ids) AND quarantine.state = 'held'
    RETURNING quarantine.quarantine_id
)

INSERT INTO quality.decision (quarantine_id, action, decided_by, reason, correction, batch_id, decided_at)
SELECT
    decided.quarantine_id, :action, :decided_by, :reason,
    CAST(:corrections AS jsonb) -> decided.quarantine_id::text, :batch_id, clock_timestamp()
FROM decided
RETURNING quarantine_id
