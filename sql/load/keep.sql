-- What is left of accepted submissions that lost cells.
CREATE TEMPORARY TABLE kept ON COMMIT DROP AS
SELECT
    verdict.batch_id,
    verdict.unit_id,
    verdict.revision,
    verdict.sent_number,
    coalesce(array_agg(sent.cell_id ORDER BY sent.cell_id) FILTER (WHERE lost.cell_id IS NULL), '{}') AS cells,
    coalesce(array_agg(sent.value ORDER BY sent.cell_id) FILTER (WHERE lost.cell_id IS NULL), '{}') AS figures,
    coalesce(array_agg(sent.row_number ORDER BY sent.cell_id) FILTER (WHERE lost.cell_id IS NULL), '{}') AS row_numbers
FROM verdict
JOIN landing.staged_submission AS staged USING (batch_id, unit_id, revision, sent_number)
CROSS JOIN LATERAL unnest(staged.cells, staged.figures, staged.row_numbers) AS sent (cell_id, value, row_number)
LEFT JOIN contested AS lost
    ON lost.batch_id = verdict.batch_id AND lost.unit_id = verdict.unit_id AND lost.revision = verdict.revision
    AND lost.cell_id = sent.cell_id
WHERE verdict.verdict = 'accepted'
    AND (verdict.batch_id, verdict.unit_id, verdict.revision)
        IN (SELECT contested.batch_id, contested.unit_id, contested.revision FROM contested)
GROUP BY verdict.batch_id, verdict.unit_id, verdict.revision, verdict.sent_number;
