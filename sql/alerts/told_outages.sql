-- Of which outages recipients were told that have not been said to be over.
SELECT alert.recipient, alert.reason, alert.open_ids AS subject_ids, false AS is_noted
FROM quality.alert
WHERE alert.reason = 'outage' AND alert.open_ids <> '{}'
