-- Accepted submissions without the cells they lost; one that lost all of them replaces nothing.
UPDATE verdict
SET
    cells = kept.cells,
    figures = kept.figures,
    row_numbers = kept.row_numbers,
    verdict = CASE WHEN cardinality(kept.cells) = 0 THEN 'rejected' ELSE 'accepted' END
FROM (
    SELECT
        verdict.batch_id,
        verdict.unit_id,
        verdict.revision,
        coalesce(array_agg(sent.cell_id ORDER BY sent.cell_id) FILTER (WHERE lost.cell_id IS NULL), '{}') AS cells,
        coalesce(array_agg(sent.value ORDER BY sent.cell_id) FILTER (WHERE lost.cell_id IS NULL), '{}') AS figures,
        coalesce(array_agg(sent.row_number ORDER BY sent.cell_id) FILTER (WHERE lost.cell_id IS NULL), '{}')
            AS row_numbers
    FROM verdict
    CROSS JOIN LATERAL unnest(verdict.cells, verdict.figures, verdict.row_numbers) AS sent (cell_id, value, row_number)
    LEFT JOIN contested AS lost
        ON lost.batch_id = verdict.batch_id AND lost.unit_id = verdict.unit_id AND lost.revision = verdict.revision
        AND lost.cell_id = sent.cell_id
    WHERE verdict.verdict = 'accepted'
        AND (verdict.batch_id, verdict.unit_id, verdict.revision)
            IN (SELECT contested.batch_id, contested.unit_id, contested.revision FROM contested)
    GROUP BY verdict.batch_id, verdict.unit_id, verdict.revision
) AS kept
WHERE verdict.batch_id = kept.batch_id AND verdict.unit_id = kept.unit_id AND verdict.revision = kept.revision
