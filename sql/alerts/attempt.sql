INSERT INTO quality.alert_attempt (alert_id, channel, tried_at, outcome, error)
VALUES (:alert_id, :channel, :tried_at, :outcome, :error)
