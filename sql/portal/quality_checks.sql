-- Remarks on a day, by check.
SELECT flag.check_code, flag.state, count(*) AS flags
FROM mart.flag
WHERE flag.stat_date = :day AND (CAST(:own_id AS integer) IS NULL OR flag.unit_code IN (
        SELECT place.division_code
        FROM mart.division_below(CAST(:own_id AS integer), CAST(:day AS date)) AS below
        JOIN mart.division AS place ON place.division_id = below.division_id
    ))
GROUP BY flag.check_code, flag.state
ORDER BY flag.check_code, flag.state
