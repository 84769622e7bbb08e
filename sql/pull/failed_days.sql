-- Days of a platform to ask for again: a pull failed, or the platform refused us (no file of its own that would stay as
-- it is) and nothing of the day has come since.
SELECT DISTINCT batch.stat_date
FROM landing.batch
JOIN core.platform USING (platform_id)
WHERE platform.platform = :platform
    AND (
        batch.state = 'failed'
        OR (
            batch.state = 'rejected' AND platform.family IN ('rest', 'database')
            AND NOT EXISTS (
                SELECT FROM landing.batch AS come
                WHERE come.platform_id = batch.platform_id AND come.stat_date = batch.stat_date
                    AND come.state = 'loaded'
            )
        )
    )
ORDER BY batch.stat_date
