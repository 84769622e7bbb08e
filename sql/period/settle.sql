-- A batch that waited for its month has come in: its held rows are released and its flag is closed.
WITH flagged AS (
    UPDATE quality.flag
    SET state = 'closed'
    WHERE flag.batch_id = :waited AND flag.check_code = 'period_locked'
),

released AS (
    UPDATE quality.quarantine
    SET state = 'released'
    WHERE quarantine.batch_id = :waited AND quarantine.reason_code = 'period_locked' AND quarantine.state = 'held'
    RETURNING quarantine.quarantine_id
)

INSERT INTO quality.decision (quarantine_id, action, decided_by, reason, batch_id, decided_at)
SELECT released.quarantine_id, 'released', :decided_by, :reason, :batch_id, clock_timestamp()
FROM released
