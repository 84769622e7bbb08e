-- The next digest to be sent, for this sender alone; should it die, the row is free again.
SELECT
    alert.alert_id, alert.dataset, alert.stat_date, alert.round, alert.reason, alert.recipient, alert.subject, alert.body,
    alert.channel, alert.failures, alert.created_at,
    CASE
        WHEN alert.reason IN ('outage', 'recovered') THEN ARRAY(
            SELECT platform.platform FROM core.platform
            WHERE platform.platform_id = ANY(alert.subject_ids)
            ORDER BY platform.platform
        )
        ELSE ARRAY(
            SELECT division.division_code FROM core.division
            WHERE division.division_id = ANY(alert.subject_ids)
            ORDER BY division.division_code
        )
    END AS codes
FROM quality.alert
WHERE alert.state = 'pending' AND alert.not_before <= :moment
ORDER BY alert.not_before, alert.alert_id
LIMIT 1
FOR UPDATE SKIP LOCKED
