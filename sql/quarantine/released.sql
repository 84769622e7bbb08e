-- What came of release batches: rows that count, held again, superseded.
SELECT
    coalesce(sum(batch.rows_loaded + batch.rows_duplicate), 0)::integer AS loaded,
    coalesce(sum(batch.rows_quarantined), 0)::integer AS held_again,
    coalesce(sum(batch.rows_superseded), 0)::integer AS superseded
FROM landing.batch
WHERE batch.batch_id = ANY(:ids)
