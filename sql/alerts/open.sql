-- Digests of which something has not arrived yet. Locked rows are being sent: they are looked at the next time.
SELECT
    alert.alert_id, alert.dataset, alert.stat_date, alert.recipient, alert.level, alert.reason, alert.open_ids,
    alert.state, alert.created_at
FROM quality.alert
WHERE alert.open_ids <> '{}' AND alert.round_at > :since
ORDER BY alert.stat_date, alert.dataset, alert.alert_id
FOR UPDATE SKIP LOCKED
