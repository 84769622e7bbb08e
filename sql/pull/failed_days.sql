SELECT DISTINCT batch.stat_date
FROM landing.batch
JOIN core.platform USING (platform_id)
WHERE platform.platform = :platform AND batch.state = 'failed'
ORDER BY batch.stat_date
