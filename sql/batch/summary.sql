SELECT
    batch.stat_date,
    platform.platform,
    count(*) AS batches,
    sum(batch.rows_received) AS received,
    sum(batch.rows_loaded) AS loaded,
    sum(batch.rows_quarantined) AS quarantined,
    sum(batch.rows_duplicate) AS duplicate,
    sum(batch.rows_superseded) AS superseded
FROM landing.batch
JOIN core.platform ON platform.platform_id = batch.platform_id
WHERE batch.stat_date = ANY(CAST(:days AS date[])) AND batch.dataset = :dataset
GROUP BY batch.stat_date, platform.platform
ORDER BY batch.stat_date, platform.platform
