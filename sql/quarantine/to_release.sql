-- Rows of the quarantine that a decision is asked for, with the platform that sent them and when.
SELECT
    quarantine.quarantine_id, quarantine.reason_code, quarantine.state, quarantine.raw, quarantine.stat_date,
    platform.platform, batch.dataset, batch.scope,
    coalesce(quarantine.received_at, batch.pulled_at) AS received_at
FROM quality.quarantine
JOIN landing.batch USING (batch_id)
JOIN core.platform USING (platform_id)
WHERE quarantine.quarantine_id = ANY(:ids)
ORDER BY quarantine.quarantine_id
