INSERT INTO core.submission (
    stat_date, unit_id, platform_id, batch_id, dataset, revision, received_at, filled_at, known_from,
    is_nil, is_withdrawn, cells, figures, row_numbers
)
SELECT
    :day, verdict.unit_id, verdict.platform_id, verdict.batch_id, :dataset, verdict.revision, verdict.received_at,
    verdict.filled_at, :known_at, verdict.is_nil, verdict.is_withdrawn, verdict.cells, verdict.figures, verdict.row_numbers
FROM verdict
WHERE verdict.verdict = 'accepted'
ORDER BY verdict.unit_id, verdict.platform_id
