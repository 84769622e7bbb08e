-- Every division that has to do with the month, and what became of its own unit.
INSERT INTO mart.stock_reporting (stat_date, division_id, level, is_leaf, is_expected, is_reported, is_nil)
SELECT
    :day,
    touched.division_id,
    level.level,
    touched.is_leaf,
    touched.is_expected,
    sent.unit_id IS NOT NULL,
    coalesce(sent.is_nil, false)
FROM touched
JOIN core.level ON level.depth = touched.depth
LEFT JOIN (
    SELECT submission.unit_id, bool_and(submission.is_nil) AS is_nil
    FROM core.submission
    WHERE submission.stat_date = :day AND submission.dataset = 'stocks' AND submission.known_to = 'infinity'
        AND NOT submission.is_withdrawn
    GROUP BY submission.unit_id
) AS sent ON sent.unit_id = touched.division_id
