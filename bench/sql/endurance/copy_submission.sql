INSERT INTO core.submission (
    stat_date, unit_id, platform_id, batch_id, dataset, revision, received_at, filled_at, known_from, is_nil, cells,
    figures, row_numbers
)
SELECT
    submission.stat_date + :shift,
    submission.unit_id,
    submission.platform_id,
    submission.batch_id - :batches,
    submission.dataset,
    submission.revision,
    submission.received_at + make_interval(days => :shift),
    CASE
        WHEN submission.filled_at IS NOT NULL
            THEN to_char(submission.stat_date + :shift, 'YYYY-MM-DD') || substr(submission.filled_at, 11)
    END,
    submission.known_from + make_interval(days => :shift),
    submission.is_nil,
    submission.cells,
    submission.figures,
    submission.row_numbers
FROM core.submission
WHERE submission.stat_date BETWEEN :first AND :last AND submission.dataset = :dataset
    AND submission.known_to = 'infinity'
ORDER BY submission.stat_date, coalesce(cardinality(submission.cells), 0) DESC, submission.unit_id
