UPDATE quality.alert
SET
    state = :state, channel = :channel, failures = :failures, not_before = :not_before, last_error = :last_error,
    sent_at = :sent_at
WHERE alert_id = :alert_id
