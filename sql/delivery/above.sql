-- The divisions above that of a table, on a day, and whether there is a table of them of the same report and period.
SELECT
    division.division_code,
    EXISTS (
        SELECT FROM mart.issue AS other
        WHERE other.report = issue.report AND other.period = issue.period AND other.division_code = division.division_code
    ) AS has_table
FROM mart.issue
JOIN core.division AS own ON own.division_code = issue.division_code
CROSS JOIN LATERAL core.division_above(own.division_id, :day) AS above
JOIN core.division ON division.division_id = above.division_id
WHERE issue.issue_id = :issue_id AND above.division_id <> own.division_id
