-- What the touched divisions' own units reported, when the first of it that was accepted came, and whether all of it is
-- held back.
CREATE TEMPORARY TABLE own ON COMMIT DROP AS
WITH sent AS (
    SELECT
        submission.unit_id,
        -- Beside survey answers, which say nothing about what was done.
        bool_or(NOT submission.cells <@ (SELECT core.survey_cells()) AND submission.known_to = 'infinity') AS has_figures,
        bool_or(submission.is_nil AND submission.known_to = 'infinity') AS has_nil,
        min(submission.received_at) AS received_at
    FROM core.submission
    WHERE submission.stat_date = :day AND submission.dataset = 'daily' AND NOT submission.is_withdrawn
        AND submission.unit_id IN (SELECT touched.division_id FROM touched)
    GROUP BY submission.unit_id
    HAVING bool_or(submission.known_to = 'infinity')
)

SELECT sent.unit_id, true AS is_reported, coalesce(sent.has_figures, false) AS has_figures, sent.has_nil, sent.received_at
FROM sent
UNION ALL
SELECT held.division_id, false, false, false, NULL
FROM held
WHERE NOT EXISTS (SELECT FROM sent WHERE sent.unit_id = held.division_id)
