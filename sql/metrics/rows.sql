-- Rows of all batches by outcome, since the warehouse was made.
SELECT platform.family, outcome.name AS outcome, sum(outcome.rows)::bigint AS rows
FROM landing.batch
JOIN core.platform USING (platform_id)
CROSS JOIN LATERAL (
    VALUES
    ('loaded', batch.rows_loaded), ('quarantined', batch.rows_quarantined), ('duplicate', batch.rows_duplicate),
    ('superseded', batch.rows_superseded)
) AS outcome (name, rows)
GROUP BY platform.family, outcome.name
