-- Taking note twice changes nothing.
UPDATE quality.alert
SET
    state = 'acknowledged',
    acknowledged_at = coalesce(alert.acknowledged_at, :moment),
    acknowledged_by = coalesce(alert.acknowledged_by, :by)
WHERE alert.alert_id = :alert_id AND alert.state IN ('pending', 'sent', 'failed', 'acknowledged')
RETURNING alert.alert_id, alert.recipient, alert.acknowledged_at, alert.acknowledged_by
