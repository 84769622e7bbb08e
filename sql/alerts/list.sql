SELECT
    alert.alert_id, alert.stat_date, alert.dataset, alert.round, alert.recipient, alert.level, alert.reason,
    alert.subjects, alert.subjects_open, alert.state, alert.channel, alert.sent_at, alert.acknowledged_by,
    alert.contacts_missing, alert.last_error
FROM mart.alert
WHERE (CAST(:day AS date) IS NULL OR alert.stat_date = :day)
    AND (CAST(:state AS text) IS NULL OR alert.state = :state)
    AND (CAST(:recipient AS text) IS NULL OR alert.recipient = :recipient)
ORDER BY alert.alert_id
