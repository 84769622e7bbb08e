-- Objects of the archive whose time is over, with the batches that they came as: of closed months, loaded, nothing of them
-- undecided, and nothing that only the archive knows (superseded rows are not in the warehouse).
SELECT
    batch.sha256,
    min(batch.part_sizes) AS part_sizes,
    jsonb_agg(jsonb_build_object(
        'batch_id', batch.batch_id, 'platform', platform.platform, 'stat_date', batch.stat_date,
        'source_name', batch.source_name, 'received_at', batch.received_at
    ) ORDER BY batch.batch_id) AS batches
FROM landing.batch
JOIN core.platform USING (platform_id)
LEFT JOIN core.closed_month AS closed ON closed.month = date_trunc('month', batch.stat_date)
WHERE batch.sha256 IS NOT NULL
    AND NOT EXISTS (SELECT FROM landing.dropped_object AS dropped WHERE dropped.sha256 = batch.sha256)
GROUP BY batch.sha256
HAVING max(batch.stat_date) < :before
    AND bool_and(
        closed.month IS NOT NULL AND batch.kind = 'sent' AND batch.state = 'loaded' AND batch.rows_superseded = 0
        AND NOT EXISTS (
            SELECT FROM quality.quarantine
            WHERE quarantine.batch_id = batch.batch_id AND quarantine.state = 'held'
        )
    )
ORDER BY min(batch.batch_id)
