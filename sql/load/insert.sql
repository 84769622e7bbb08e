-- A nil report stays one when survey answers are merged into it. The fullest submissions stand first, the empty ones
-- last: what townships and those above them report is read by itself for months (flags, estimates), and lies on a tenth
-- of the day's pages so.
INSERT INTO core.submission (
    stat_date, unit_id, platform_id, batch_id, dataset, revision, ordinal, received_at, filled_at, known_from,
    is_nil, is_withdrawn, cells, figures, row_numbers, batch_ids
)
SELECT
    :day, verdict.unit_id, verdict.platform_id, verdict.batch_id, :dataset, verdict.as_revision,
    coalesce(head.ordinal + 1, 0), coalesce(head.received_at, verdict.received_at),
    coalesce(head.filled_at, staged.filled_at), :known_at,
    coalesce(staged.is_nil, false)
    OR (coalesce(head.is_nil, false) AND coalesce(kept.cells, staged.cells, '{}') <@ (SELECT core.survey_cells())),
    verdict.is_withdrawn,
    nullif(coalesce(kept.cells, staged.cells), '{}'),
    nullif(coalesce(kept.figures, staged.figures), '{}'),
    nullif(coalesce(kept.row_numbers, staged.row_numbers), '{}'),
    kept.batch_ids
FROM verdict
LEFT JOIN landing.staged_submission AS staged USING (batch_id, unit_id, revision, sent_number)
LEFT JOIN kept USING (batch_id, unit_id, revision, sent_number)
LEFT JOIN core.submission AS head
    ON verdict.is_merge AND head.stat_date = :day AND head.submission_id = verdict.head_id
WHERE verdict.verdict = 'accepted'
ORDER BY cardinality(coalesce(kept.cells, staged.cells, '{}')) DESC, verdict.unit_id
