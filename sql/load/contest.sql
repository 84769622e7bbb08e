-- Rows that need a look one by one: of a revision that is in already, and cells that another platform has delivered.
-- What is loaded stays: of a unit, one submission at a time is loaded, in the order in which they arrived.
CREATE TEMPORARY TABLE contested ON COMMIT DROP AS
WITH loaded AS (
    SELECT submission.submission_id, submission.unit_id, submission.platform_id, submission.cells, submission.figures
    FROM core.submission
    WHERE submission.stat_date = :day AND submission.dataset = :dataset AND submission.known_to = 'infinity'
        AND submission.unit_id IN (
            SELECT verdict.unit_id FROM verdict WHERE verdict.verdict IN ('same', 'accepted')
        )
),

figure AS (
    SELECT
        verdict.batch_id, verdict.unit_id, verdict.revision, verdict.platform_id, verdict.head_id, verdict.verdict,
        staged.received_at, sent.cell_id, sent.value, sent.row_number
    FROM verdict
    JOIN landing.staged_submission AS staged USING (batch_id, unit_id, revision, sent_number)
    CROSS JOIN LATERAL unnest(staged.cells, staged.figures, staged.row_numbers) AS sent (cell_id, value, row_number)
    WHERE verdict.verdict = 'same'
        OR (verdict.verdict = 'accepted' AND EXISTS (
            SELECT FROM loaded
            WHERE loaded.unit_id = verdict.unit_id AND loaded.platform_id <> verdict.platform_id
        ))
),

standing AS (
    SELECT loaded.submission_id, loaded.unit_id, loaded.platform_id, kept.cell_id, kept.value
    FROM loaded
    CROSS JOIN LATERAL unnest(loaded.cells, loaded.figures) AS kept (cell_id, value)
    WHERE loaded.unit_id IN (SELECT figure.unit_id FROM figure)
)

SELECT
    figure.batch_id,
    figure.unit_id,
    figure.revision,
    figure.received_at,
    figure.cell_id,
    figure.value,
    figure.row_number,
    CASE WHEN own.value = figure.value THEN 'duplicate' ELSE 'conflict' END AS outcome,
    'revision' AS cause,
    NULL::text AS other_platform,
    own.value AS other_value
FROM figure
LEFT JOIN standing AS own ON own.submission_id = figure.head_id AND own.cell_id = figure.cell_id
WHERE figure.verdict = 'same'
UNION ALL
SELECT
    figure.batch_id, figure.unit_id, figure.revision, figure.received_at, figure.cell_id, figure.value,
    figure.row_number,
    'conflict', 'platform', platform.platform, other.value
FROM figure
JOIN standing AS other
    ON other.unit_id = figure.unit_id AND other.cell_id = figure.cell_id AND other.platform_id <> figure.platform_id
JOIN core.platform ON platform.platform_id = other.platform_id
WHERE figure.verdict = 'accepted';
