SELECT
    quarantine.quarantine_id, platform.platform, quarantine.stat_date, quarantine.unit_code, quarantine.place,
    quarantine.row_number, quarantine.reason_code, quarantine.reason, quarantine.state
FROM quality.quarantine
JOIN landing.batch USING (batch_id)
JOIN core.platform ON platform.platform_id = batch.platform_id
WHERE (CAST(:day AS date) IS NULL OR quarantine.stat_date = :day)
    AND (CAST(:state AS text) IS NULL OR quarantine.state = :state)
ORDER BY quarantine.quarantine_id
