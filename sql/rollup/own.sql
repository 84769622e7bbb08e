-- What the touched divisions' own units reported.
CREATE TEMPORARY TABLE own ON COMMIT DROP AS
SELECT submission.unit_id, bool_or(cardinality(submission.cells) > 0) AS has_figures
FROM core.submission
WHERE submission.stat_date = :day AND submission.dataset = 'daily' AND submission.known_to = 'infinity'
    AND NOT submission.is_withdrawn AND submission.unit_id IN (SELECT touched.division_id FROM touched)
GROUP BY submission.unit_id
