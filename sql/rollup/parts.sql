-- What units send straight to a touched division: its own unit's figures, and those of the divisions directly below it
-- that have none below them. Arrays are unnested in the select list: as functions of a FROM they cost three times as
-- much.
CREATE TEMPORARY TABLE part ON COMMIT DROP AS
WITH sender AS (
    SELECT touched.division_id, touched.depth, touched.division_id AS unit_id
    FROM touched
    WHERE NOT touched.is_leaf
    UNION ALL
    SELECT kin.parent_id, kin.parent_depth, kin.division_id
    FROM kin
    WHERE kin.is_leaf
),

figure AS (
    SELECT
        sender.division_id, sender.depth, unnest(submission.cells) AS cell_id, unnest(submission.figures) AS value
    FROM sender
    JOIN core.submission
        ON submission.stat_date = :day AND submission.unit_id = sender.unit_id
        AND submission.dataset = 'daily' AND submission.known_to = 'infinity'
)

SELECT figure.depth, figure.division_id, figure.cell_id, sum(figure.value)::bigint AS value
FROM figure
GROUP BY figure.depth, figure.division_id, figure.cell_id
