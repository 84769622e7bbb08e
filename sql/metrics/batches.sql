SELECT platform.family, batch.state, count(*) AS batches
FROM landing.batch
JOIN core.platform USING (platform_id)
GROUP BY platform.family, batch.state
