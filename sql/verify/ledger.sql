-- Batches whose counts differ from what they brought, counted anew, or that nobody has finished.
WITH loaded AS (
    SELECT figure.batch_id, count(DISTINCT figure.row_number) AS figures
    FROM (
        SELECT coalesce(sent.batch_id, submission.batch_id) AS batch_id, sent.row_number
        FROM core.submission
        CROSS JOIN LATERAL unnest(submission.row_numbers, submission.batch_ids) AS sent (row_number, batch_id)
        WHERE CAST(:day AS date) IS NULL OR submission.stat_date = :day
    ) AS figure
    GROUP BY figure.batch_id
),

held AS (
    SELECT quarantine.batch_id, count(*) AS figures
    FROM quality.quarantine
    GROUP BY quarantine.batch_id
)

SELECT
    batch.batch_id,
    platform.platform,
    batch.stat_date,
    batch.source_name,
    batch.state,
    batch.rows_received,
    batch.rows_loaded,
    coalesce(loaded.figures, 0) AS figures_found,
    batch.rows_quarantined,
    coalesce(held.figures, 0) AS held_found,
    batch.rows_duplicate,
    batch.rows_superseded
FROM landing.batch
JOIN core.platform USING (platform_id)
LEFT JOIN loaded USING (batch_id)
LEFT JOIN held USING (batch_id)
WHERE (CAST(:day AS date) IS NULL OR batch.stat_date = :day)
    AND (
        batch.state IN ('registered', 'gated')
        OR batch.rows_loaded <> coalesce(loaded.figures, 0)
        OR batch.rows_quarantined <> coalesce(held.figures, 0)
        OR batch.rows_received
        <> batch.rows_loaded + batch.rows_quarantined + batch.rows_duplicate + batch.rows_superseded
    )
ORDER BY batch.batch_id
