-- A page of the rows of a day that were held back; undecided ones first.
WITH page AS MATERIALIZED (
    SELECT row.quarantine_id, count(*) OVER () AS rows_total
    FROM mart.quarantined_row AS row
    WHERE row.stat_date = :day AND (CAST(:own_id AS integer) IS NULL OR row.unit_code IN (
        SELECT place.division_code
        FROM mart.division_below(CAST(:own_id AS integer), CAST(:day AS date)) AS below
        JOIN mart.division AS place ON place.division_id = below.division_id
    ))
    ORDER BY row.state <> 'held', row.quarantine_id
    LIMIT :limit OFFSET :offset
)

SELECT
    row.quarantine_id, row.unit_code, place.division_name AS unit_name, row.platform, row.source_name, row.row_number,
    row.batch_id, row.reason_code, row.reason, row.state, page.rows_total
FROM page
JOIN mart.quarantined_row AS row ON row.quarantine_id = page.quarantine_id
LEFT JOIN mart.division AS place
    ON place.division_code = row.unit_code AND place.valid_from <= row.stat_date AND row.stat_date < place.valid_to
ORDER BY row.state <> 'held', row.quarantine_id
