-- Platforms, when each was last asked for this day and what it brought is loaded (null: never, or not yet), and whether it
-- could not be reached: a folder that did not open, or one whose only batch failed. One bad file among others is no outage.
SELECT
    platform.platform_id,
    platform.platform,
    CASE
        WHEN NOT EXISTS (
            SELECT FROM landing.batch
            WHERE batch.platform_id = platform.platform_id AND batch.stat_date = :day AND batch.dataset = :dataset
                AND batch.state IN ('registered', 'gated')
        ) THEN last.started_at
    END AS asked_at,
    coalesce(last.outcome <> 'done', false)
        AND (
            platform.family IN ('rest', 'database')
            OR EXISTS (
                SELECT FROM landing.batch
                WHERE batch.platform_id = platform.platform_id AND batch.source_name = ''
                    AND batch.state IN ('failed', 'rejected')
                    AND batch.stat_date IN (:day, (last.started_at AT TIME ZONE 'Asia/Shanghai')::date)
            )
        ) AS is_out
FROM core.platform
LEFT JOIN LATERAL (
    SELECT pull.started_at, pull.outcome
    FROM landing.pull
    WHERE pull.platform_id = platform.platform_id AND pull.finished_at <= :moment
        AND CASE
            WHEN :dataset = 'stocks' THEN pull.kind = 'month' AND pull.stat_date = :day
            ELSE pull.kind = 'since' OR pull.kind = 'day' AND pull.stat_date = :day
        END
    ORDER BY pull.started_at DESC, pull.outcome = 'done'
    LIMIT 1
) AS last ON true
WHERE platform.is_declared
