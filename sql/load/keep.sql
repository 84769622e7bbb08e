-- The figures of accepted submissions that are not those staged: some were lost, or they are merged into what is in.
CREATE TEMPORARY TABLE kept ON COMMIT DROP AS
WITH sent AS (
    SELECT
        verdict.batch_id, verdict.unit_id, verdict.revision, verdict.sent_number, verdict.is_merge, verdict.head_id,
        figure.cell_id, figure.value, figure.row_number, lost.cell_id IS NOT NULL AS is_lost
    FROM verdict
    JOIN landing.staged_submission AS staged USING (batch_id, unit_id, revision, sent_number)
    CROSS JOIN LATERAL unnest(staged.cells, staged.figures, staged.row_numbers) AS figure (cell_id, value, row_number)
    LEFT JOIN contested AS lost
        ON lost.batch_id = verdict.batch_id AND lost.unit_id = verdict.unit_id AND lost.revision = verdict.revision
        AND lost.cell_id = figure.cell_id
    WHERE verdict.verdict = 'accepted'
        AND (verdict.is_merge OR (verdict.batch_id, verdict.unit_id, verdict.revision)
            IN (SELECT contested.batch_id, contested.unit_id, contested.revision FROM contested))
),

figure AS (
    SELECT
        sent.batch_id, sent.unit_id, sent.revision, sent.sent_number, sent.is_merge, true AS is_sent,
        sent.cell_id, sent.value, sent.row_number, sent.batch_id AS from_batch_id
    FROM sent
    WHERE NOT sent.is_lost
    UNION ALL
    SELECT
        verdict.batch_id, verdict.unit_id, verdict.revision, verdict.sent_number, true, false,
        had.cell_id, had.value, had.row_number, coalesce(had.batch_id, head.batch_id)
    FROM verdict
    JOIN core.submission AS head ON head.stat_date = :day AND head.submission_id = verdict.head_id
    CROSS JOIN LATERAL unnest(head.cells, head.figures, head.row_numbers, head.batch_ids)
        AS had (cell_id, value, row_number, batch_id)
    WHERE verdict.verdict = 'accepted' AND verdict.is_merge
        AND NOT EXISTS (
            SELECT FROM sent
            WHERE sent.head_id = verdict.head_id AND sent.cell_id = had.cell_id AND NOT sent.is_lost
        )
)

SELECT
    sent.batch_id,
    sent.unit_id,
    sent.revision,
    sent.sent_number,
    coalesce(count(*) FILTER (WHERE figure.is_sent), 0)::integer AS rows_sent,
    coalesce(array_agg(figure.cell_id ORDER BY figure.cell_id) FILTER (WHERE figure.cell_id IS NOT NULL), '{}') AS cells,
    coalesce(array_agg(figure.value ORDER BY figure.cell_id) FILTER (WHERE figure.cell_id IS NOT NULL), '{}')
        AS figures,
    coalesce(array_agg(figure.row_number ORDER BY figure.cell_id) FILTER (WHERE figure.cell_id IS NOT NULL), '{}')
        AS row_numbers,
    array_agg(figure.from_batch_id ORDER BY figure.cell_id) FILTER (WHERE figure.is_merge) AS batch_ids
FROM (SELECT DISTINCT sent.batch_id, sent.unit_id, sent.revision, sent.sent_number FROM sent) AS sent
LEFT JOIN figure USING (batch_id, unit_id, revision, sent_number)
GROUP BY sent.batch_id, sent.unit_id, sent.revision, sent.sent_number;
