-- Batches of a month that came while it was closed and have not been read again, in the order in which they came.
SELECT
    batch.batch_id, platform.platform, batch.dataset, batch.stat_date, batch.source_name, batch.sha256, batch.part_sizes,
    batch.received_at, batch.pulled_at, batch.kind
FROM landing.batch
JOIN core.platform USING (platform_id)
WHERE date_trunc('month', batch.stat_date) = CAST(:month AS date)
    AND batch.batch_id IN (
        SELECT flag.batch_id FROM quality.flag WHERE flag.check_code = 'period_locked' AND flag.state = 'open'
    )
ORDER BY batch.batch_id
