-- A page of the batches of a day that failed or were rejected, or all; those not in first.
SELECT
    batch.batch_id, batch.platform, batch.dataset, batch.source_name, batch.state, batch.message, batch.rows_received,
    batch.rows_loaded, batch.rows_quarantined, batch.rows_duplicate, batch.rows_superseded, batch.received_at,
    batch.pulled_at, count(*) OVER () AS rows_total,
    count(*) FILTER (WHERE batch.state IN ('failed', 'rejected')) OVER () AS troubles
FROM mart.ledger AS batch
WHERE batch.stat_date = :day AND (CAST(:codes AS text[]) IS NULL OR batch.platform = ANY(:platforms))
ORDER BY batch.state NOT IN ('failed', 'rejected'), batch.platform, batch.dataset, batch.batch_id
LIMIT :limit OFFSET :offset
