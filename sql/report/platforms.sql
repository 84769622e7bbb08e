-- The day's batches of each platform, added up.
SELECT
    ledger.platform,
    count(*) AS batches,
    count(*) FILTER (WHERE ledger.state IN ('failed', 'rejected')) AS batches_out,
    sum(ledger.rows_received) AS rows_received,
    sum(ledger.rows_loaded) AS rows_loaded,
    sum(ledger.rows_quarantined) AS rows_quarantined,
    sum(ledger.rows_duplicate) AS rows_duplicate,
    sum(ledger.rows_superseded) AS rows_superseded
FROM mart.ledger AS ledger
WHERE ledger.stat_date = :day AND ledger.dataset = 'daily'
GROUP BY ledger.platform
ORDER BY ledger.platform
