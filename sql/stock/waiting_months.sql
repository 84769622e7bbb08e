-- Last days of months with stocks that the gate has passed and nobody loaded, or that were loaded and not rolled up since.
SELECT batch.stat_date
FROM landing.batch
WHERE batch.state = 'gated' AND batch.dataset = 'stocks'
UNION
SELECT rollup.stat_date
FROM mart.stock_rollup AS rollup
WHERE rollup.loaded_at IS NOT NULL AND (rollup.rolled_up_at IS NULL OR rollup.rolled_up_at < rollup.loaded_at)
ORDER BY 1
