SELECT alert.recipient
FROM quality.alert
WHERE alert.dataset = :dataset AND alert.stat_date = :stat_date AND alert.round = :round AND alert.round_at = :round_at
    AND alert.reason = :reason
