-- Rows that need a look one by one: of a revision that is in already, and cells that another platform delivers too.
-- The first to arrive keeps the cell (then the platform's name decides); what is loaded stays.
CREATE TEMPORARY TABLE contested ON COMMIT DROP AS
WITH figure AS (
    SELECT
        verdict.batch_id, verdict.unit_id, verdict.revision, verdict.platform_id, verdict.received_at, verdict.head_id,
        verdict.verdict, sent.cell_id, sent.value, sent.row_number
    FROM verdict
    JOIN landing.staged_submission AS staged USING (batch_id, unit_id, revision, sent_number)
    CROSS JOIN LATERAL unnest(staged.cells, staged.figures, staged.row_numbers) AS sent (cell_id, value, row_number)
    WHERE verdict.verdict = 'same'
        OR (verdict.verdict = 'accepted' AND verdict.unit_id IN (
            SELECT claim.unit_id
            FROM (
                SELECT verdict.unit_id, verdict.platform_id FROM verdict WHERE verdict.verdict = 'accepted'
                UNION
                SELECT submission.unit_id, submission.platform_id
                FROM core.submission
                WHERE submission.stat_date = :day AND submission.dataset = :dataset
                    AND submission.known_to = 'infinity'
                    AND submission.unit_id IN (SELECT verdict.unit_id FROM verdict)
            ) AS claim
            GROUP BY claim.unit_id
            HAVING count(*) > 1
        ))
),

loaded AS (
    SELECT submission.submission_id, submission.unit_id, submission.platform_id, kept.cell_id, kept.value
    FROM core.submission
    CROSS JOIN LATERAL unnest(submission.cells, submission.figures) AS kept (cell_id, value)
    WHERE submission.stat_date = :day AND submission.dataset = :dataset AND submission.known_to = 'infinity'
        AND submission.unit_id IN (SELECT figure.unit_id FROM figure)
)

SELECT
    figure.batch_id,
    figure.unit_id,
    figure.revision,
    figure.cell_id,
    figure.value,
    figure.row_number,
    CASE WHEN own.value = figure.value THEN 'duplicate' ELSE 'conflict' END AS outcome,
    'revision' AS cause,
    NULL::text AS other_platform,
    own.value AS other_value
FROM figure
LEFT JOIN loaded AS own ON own.submission_id = figure.head_id AND own.cell_id = figure.cell_id
WHERE figure.verdict = 'same'
UNION ALL
SELECT DISTINCT ON (figure.batch_id, figure.unit_id, figure.revision, figure.cell_id)
    figure.batch_id, figure.unit_id, figure.revision, figure.cell_id, figure.value, figure.row_number,
    'conflict', 'platform', platform.platform, other.value
FROM figure
JOIN core.platform AS mine ON mine.platform_id = figure.platform_id
JOIN (
    SELECT loaded.unit_id, loaded.platform_id, loaded.cell_id, loaded.value, '-infinity'::timestamptz AS received_at
    FROM loaded
    UNION ALL
    SELECT figure.unit_id, figure.platform_id, figure.cell_id, figure.value, figure.received_at
    FROM figure
    WHERE figure.verdict = 'accepted'
) AS other
    ON other.unit_id = figure.unit_id AND other.cell_id = figure.cell_id AND other.platform_id <> figure.platform_id
JOIN core.platform ON platform.platform_id = other.platform_id
WHERE figure.verdict = 'accepted'
    AND (other.received_at, platform.platform) < (figure.received_at, mine.platform)
ORDER BY 1, 2, 3, 4;
