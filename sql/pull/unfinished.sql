SELECT platform.platform, coalesce(pull.outcome, 'cut off') AS outcome, pull.message
FROM landing.pull
JOIN core.platform USING (platform_id)
WHERE pull.run_key = :run_key AND pull.outcome IS DISTINCT FROM 'done'
ORDER BY platform.platform
