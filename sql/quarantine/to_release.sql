-- Rows that are held back, with the batch they came in; locked so that one decision is made at a time.
SELECT
    quarantine.quarantine_id, quarantine.reason_code, quarantine.state, quarantine.raw, quarantine.unit_code,
    quarantine.stat_date, platform.platform, batch.kind,
    coalesce(batch.received_at, batch.pulled_at) AS received_at
FROM quality.quarantine
JOIN landing.batch USING (batch_id)
JOIN core.platform USING (platform_id)
WHERE quarantine.quarantine_id = ANY(:ids)
ORDER BY quarantine.quarantine_id
