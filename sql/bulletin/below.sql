-- Codes of a division and of all below it at the end of the period.
WITH RECURSIVE below AS (
    SELECT division.division_id, division.division_code
    FROM core.division
    WHERE division.division_code = :division
    UNION ALL
    SELECT division.division_id, division.division_code
    FROM below
    JOIN core.division_period AS place ON place.parent_id = below.division_id
    JOIN core.division ON division.division_id = place.division_id
    WHERE place.valid_from <= :day AND :day < place.valid_to
)

SELECT below.division_code FROM below
