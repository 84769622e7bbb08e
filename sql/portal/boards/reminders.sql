-- What was sent about units and a day, the latest first.
SELECT
    reminder.unit_code, reminder.round, reminder.level, reminder.recipient, reminder.channel, reminder.state,
    reminder.created_at, reminder.sent_at, reminder.acknowledged_by, reminder.acknowledged_at, reminder.outcome,
    reminder.hours_to_arrival
FROM mart.reminder
WHERE reminder.stat_date = :day AND reminder.dataset = :dataset AND reminder.unit_code = ANY(:units)
ORDER BY reminder.unit_code, reminder.created_at DESC, reminder.alert_id DESC
