-- Since when to ask a platform for what changed: the start of its last pull that went well.
SELECT max(pull.started_at)
FROM landing.pull
JOIN core.platform USING (platform_id)
WHERE platform.platform = :platform AND pull.outcome = 'done'
