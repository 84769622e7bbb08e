INSERT INTO core.period_event (month, action, decided_by, reason, decided_at)
VALUES (:month, :action, :decided_by, :reason, clock_timestamp())
