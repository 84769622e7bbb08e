-- Batches of the days of a period by state, of some platforms.
SELECT ledger.state, ledger.platform, count(*) AS batches, min(ledger.message) AS example
FROM mart.ledger
WHERE ledger.stat_date BETWEEN :first AND :last AND ledger.platform = ANY(:platforms)
    AND ledger.state IN ('loaded', 'failed', 'rejected')
GROUP BY ledger.state, ledger.platform
ORDER BY ledger.state, ledger.platform
