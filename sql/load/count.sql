UPDATE landing.batch
SET
    rows_loaded = batch.rows_loaded + outcome.loaded,
    rows_quarantined = batch.rows_quarantined + outcome.quarantined,
    rows_duplicate = batch.rows_duplicate + outcome.duplicate,
    rows_superseded = batch.rows_superseded + outcome.superseded
FROM (
    SELECT
        verdict.batch_id,
        coalesce(sum(verdict.rows_sent) FILTER (WHERE verdict.verdict = 'accepted'), 0) AS loaded,
        coalesce(sum(verdict.rows_sent) FILTER (WHERE verdict.verdict = 'superseded'), 0) AS superseded,
        coalesce(max(judged.duplicate), 0) AS duplicate,
        coalesce(max(judged.conflict), 0) AS quarantined
    FROM verdict
    LEFT JOIN (
        SELECT
            contested.batch_id,
            count(*) FILTER (WHERE contested.outcome = 'duplicate') AS duplicate,
            count(*) FILTER (WHERE contested.outcome = 'conflict') AS conflict
        FROM contested
        GROUP BY contested.batch_id
    ) AS judged ON judged.batch_id = verdict.batch_id
    GROUP BY verdict.batch_id
) AS outcome
WHERE batch.batch_id = outcome.batch_id
