-- The divisions that are counted.
WITH RECURSIVE below AS (
    SELECT place.division_id, place.division_name, place.level
    FROM core.division_period AS place
    JOIN core.division ON division.division_id = place.division_id
    WHERE division.division_code = :division AND place.valid_from <= :last_day AND :last_day < place.valid_to
    UNION ALL
    SELECT place.division_id, place.division_name, place.level
    FROM below
    JOIN core.division_period AS place ON place.parent_id = below.division_id
    WHERE place.valid_from <= :last_day AND :last_day < place.valid_to
)

SELECT
    division.division_code AS unit_code,
    below.division_name AS unit_name,
    :last_day AS stat_date,
    NULL::text AS measure,
    NULL::text AS channel,
    1 AS value
FROM below
JOIN core.division ON division.division_id = below.division_id
WHERE below.level = ANY(:levels)
ORDER BY division.division_code
