-- A page of the open remarks on a day.
WITH page AS MATERIALIZED (
    SELECT flag.flag_id, count(*) OVER () AS rows_total
    FROM mart.flag
    WHERE flag.stat_date = :day AND flag.state = 'open' AND (CAST(:own_id AS integer) IS NULL OR flag.unit_code IN (
        SELECT place.division_code
        FROM mart.division_below(CAST(:own_id AS integer), CAST(:day AS date)) AS below
        JOIN mart.division AS place ON place.division_id = below.division_id
    ))
    ORDER BY flag.flag_id
    LIMIT :limit OFFSET :offset
)

SELECT
    flag.flag_id, flag.unit_code, place.division_name AS unit_name, flag.platform, flag.batch_id, flag.check_code,
    flag.message, flag.state, page.rows_total
FROM page
JOIN mart.flag ON flag.flag_id = page.flag_id
LEFT JOIN mart.division AS place
    ON place.division_code = flag.unit_code AND place.valid_from <= flag.stat_date AND flag.stat_date < place.valid_to
ORDER BY flag.flag_id
