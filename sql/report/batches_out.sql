-- Batches of the day that are not in, with the reason.
SELECT ledger.platform, ledger.source_name, ledger.state, ledger.message
FROM mart.ledger AS ledger
WHERE ledger.stat_date = :day AND ledger.dataset = 'daily' AND ledger.state IN ('failed', 'rejected')
ORDER BY ledger.platform, ledger.source_name, ledger.state, ledger.message
