-- Decisions taken after a moment; their rows are held again.
WITH taken_back AS (
    DELETE FROM quality.decision
    USING quality.quarantine
    WHERE quarantine.quarantine_id = decision.quarantine_id AND quarantine.stat_date = ANY(:days)
        AND decision.decided_at > :moment
    RETURNING decision.quarantine_id
)

UPDATE quality.quarantine
SET state = 'held'
FROM taken_back
WHERE quarantine.quarantine_id = taken_back.quarantine_id
