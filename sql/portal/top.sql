-- Divisions without any above them, the highest first.
SELECT division.division_code
FROM mart.division
WHERE division.parent_id IS NULL AND division.valid_to = 'infinity'
ORDER BY division.depth, division.division_code
LIMIT 1
