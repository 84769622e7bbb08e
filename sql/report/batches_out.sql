-- Batches of days in a period that are not in, with the reason.
SELECT ledger.platform, ledger.stat_date, coalesce(ledger.source_name, '') AS source_name, ledger.state, ledger.message
FROM mart.ledger AS ledger
WHERE ledger.stat_date BETWEEN :first_day AND :last_day AND ledger.platform = ANY(:platforms)
    AND ledger.state IN ('failed', 'rejected')
ORDER BY ledger.stat_date, ledger.platform, ledger.source_name, ledger.state, ledger.message
