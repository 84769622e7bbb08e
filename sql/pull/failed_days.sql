-- Days for which a platform was asked and did not answer, however often, since it last answered for them.
SELECT pull.stat_date
FROM landing.pull
JOIN core.platform USING (platform_id)
WHERE platform.platform = :platform AND pull.kind = 'day' AND pull.outcome IS NOT NULL
GROUP BY pull.stat_date
HAVING (array_agg(pull.outcome ORDER BY pull.started_at DESC))[1] <> 'done'
ORDER BY pull.stat_date
