SELECT alert.recipient, alert.reason, alert.subject_ids, alert.acknowledged_at IS NOT NULL AS is_noted
FROM quality.alert
WHERE alert.dataset = :dataset AND alert.stat_date = :day
    AND alert.reason IN ('not_received', 'missing')
