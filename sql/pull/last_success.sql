-- Since when to ask a platform for what changed: the start of the last such question that it answered. The pull of a
-- day answers for that day alone: counting it would lose what came for other days before it.
SELECT max(pull.started_at)
FROM landing.pull
JOIN core.platform USING (platform_id)
WHERE platform.platform = :platform AND pull.kind = 'since' AND pull.outcome = 'done'
