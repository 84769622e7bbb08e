SELECT quarantine.*, platform.platform, batch.source_name, batch.sha256
FROM quality.quarantine
JOIN landing.batch USING (batch_id)
JOIN core.platform ON platform.platform_id = batch.platform_id
WHERE quarantine.quarantine_id = :quarantine_id
