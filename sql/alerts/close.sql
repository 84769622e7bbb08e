UPDATE quality.alert
SET open_ids = :open_ids, state = :state
WHERE alert_id = :alert_id AND state = :state_seen
