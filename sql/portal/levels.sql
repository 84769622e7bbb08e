-- How many divisions of each level were there at or below a division in a period.
WITH RECURSIVE below AS (
    SELECT CAST(:division_id AS integer) AS division_id
    UNION ALL
    SELECT place.division_id
    FROM below
    JOIN mart.division AS place ON place.parent_id = below.division_id
    WHERE place.valid_from <= :day AND :day < place.valid_to
)

SELECT place.level, count(*) AS divisions
FROM below
JOIN mart.division AS place ON place.division_id = below.division_id
WHERE place.valid_from <= :day AND :day < place.valid_to
GROUP BY place.level, place.depth
ORDER BY place.depth
