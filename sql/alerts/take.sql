-- The next digest to be sent, for this sender alone; should it die, the row is free again.
SELECT
    alert.alert_id, alert.dataset, alert.stat_date, alert.round, alert.reason, alert.recipient, alert.subject, alert.body,
    alert.channel, alert.failures, alert.created_at
FROM quality.alert
WHERE alert.state = 'pending' AND alert.not_before <= :moment
ORDER BY alert.not_before, alert.alert_id
LIMIT 1
FOR UPDATE SKIP LOCKED
