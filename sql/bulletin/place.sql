-- A division and those right below it, as they stood at the end of the period; position 0 is the division itself.
SELECT
    division.division_code,
    place.division_name,
    place.level,
    parent.division_code AS parent_code,
    (division.division_code <> :division)::integer AS position
FROM core.division_period AS place
JOIN core.division ON division.division_id = place.division_id
LEFT JOIN core.division AS parent ON parent.division_id = place.parent_id
WHERE place.valid_from <= :day AND :day < place.valid_to
    AND (division.division_code = :division OR parent.division_code = :division)
ORDER BY position, division.division_code
