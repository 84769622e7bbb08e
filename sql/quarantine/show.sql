SELECT
    quarantine.*, platform.platform, batch.source_name, batch.sha256,
    decision.action, decision.decided_by, decision.reason AS decision_reason, decision.correction, decision.decided_at,
    decision.batch_id AS came_in_with_batch
FROM quality.quarantine
JOIN landing.batch USING (batch_id)
JOIN core.platform ON platform.platform_id = batch.platform_id
LEFT JOIN quality.decision USING (quarantine_id)
WHERE quarantine.quarantine_id = :quarantine_id
