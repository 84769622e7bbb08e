SELECT division.division_id
FROM core.division
JOIN core.division_period AS place ON place.division_id = division.division_id
WHERE division.division_code = :unit AND place.valid_from <= :day AND :day < place.valid_to
