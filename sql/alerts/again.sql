-- Failed digests are tried once more, from the first channel on.
UPDATE quality.alert
SET state = 'pending', channel = NULL, failures = 0, not_before = :moment
WHERE alert.state = 'failed' AND alert.alert_id = ANY(:ids)
RETURNING alert.alert_id
