-- Divisions that came, went or moved while a period ran, and those they moved to and from: below them figures of a part of
-- the period belong to another division's total.
SELECT DISTINCT division.division_code
FROM core.division_period AS place
JOIN core.division ON division.division_id IN (place.division_id, place.parent_id)
WHERE :first_day < place.valid_from AND place.valid_from <= :last_day
    OR :first_day < place.valid_to AND place.valid_to <= :last_day
