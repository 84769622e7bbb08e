-- Days with batches that the gate has passed and nobody loaded, or that were loaded and not rolled up since, or rolled up
-- and not judged since.
SELECT batch.stat_date
FROM landing.batch
WHERE batch.state = 'gated' AND batch.dataset = 'daily'
UNION
SELECT rollup.stat_date
FROM mart.daily_rollup AS rollup
WHERE rollup.loaded_at IS NOT NULL
    AND (
        rollup.rolled_up_at IS NULL OR rollup.rolled_up_at < rollup.loaded_at
        OR rollup.judged_at IS NULL OR rollup.judged_at < rollup.rolled_up_at
    )
ORDER BY 1
