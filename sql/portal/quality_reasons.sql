-- Rows of a day that were held back, by reason.
SELECT row.reason_code, row.state, count(*) AS rows, min(row.reason) AS reason_example
FROM mart.quarantined_row AS row
WHERE row.stat_date = :day AND (CAST(:own_id AS integer) IS NULL OR row.unit_code IN (
        SELECT place.division_code
        FROM mart.division_below(CAST(:own_id AS integer), CAST(:day AS date)) AS below
        JOIN mart.division AS place ON place.division_id = below.division_id
    ))
GROUP BY row.reason_code, row.state
ORDER BY row.reason_code, row.state
