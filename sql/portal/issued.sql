-- Issued tables, the latest first.
SELECT issued.*, count(*) OVER () AS rows_total
FROM mart.issued_table AS issued
WHERE CAST(:own_id AS integer) IS NULL OR issued.division_code IN (
    SELECT place.division_code
    FROM mart.division_below(CAST(:own_id AS integer), CAST(:day AS date)) AS below
    JOIN mart.division AS place ON place.division_id = below.division_id
)
ORDER BY issued.issued_at DESC, issued.report, issued.division_code
LIMIT :limit OFFSET :offset
