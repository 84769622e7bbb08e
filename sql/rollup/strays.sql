-- Units that sent something for the day without lying in the area of a platform.
CREATE TEMPORARY TABLE stray ON COMMIT DROP AS
SELECT DISTINCT submission.unit_id
FROM core.submission
LEFT JOIN touched ON touched.division_id = submission.unit_id
WHERE submission.stat_date = :day AND submission.dataset = :dataset AND submission.known_to = 'infinity'
    AND touched.division_id IS NULL
