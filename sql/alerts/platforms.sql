-- Platforms, when each was last asked for this day (in so far as the question has ended), and whether it could not be
-- reached: a folder that did not open, or one whose only batch failed. One bad file among others is no outage.
SELECT
    platform.platform_id,
    platform.platform,
    last.started_at AS asked_at,
    coalesce(last.outcome <> 'done', false)
        AND (
            platform.family IN ('rest', 'database')
            OR EXISTS (
                SELECT FROM landing.batch
                WHERE batch.platform_id = platform.platform_id AND batch.source_name = ''
                    AND batch.state IN ('failed', 'rejected')
                    AND batch.stat_date IN (
                        :day, (last.started_at AT TIME ZONE 'Asia/Shanghai')::date
                    )
            )
        ) AS is_out
FROM core.platform
LEFT JOIN LATERAL (
    SELECT pull.started_at, pull.outcome
    FROM landing.pull
    WHERE pull.platform_id = platform.platform_id AND pull.finished_at <= :moment
        AND (pull.kind = 'since' OR pull.stat_date = :day)
    ORDER BY pull.started_at DESC, pull.outcome = 'done'
    LIMIT 1
) AS last ON true
WHERE platform.is_declared
