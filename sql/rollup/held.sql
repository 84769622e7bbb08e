-- Units of which something is held back that day.
CREATE TEMPORARY TABLE held ON COMMIT DROP AS
SELECT DISTINCT division.division_id
FROM quality.held_unit_as_of('infinity') AS held
JOIN core.division ON division.division_code = held.unit_code
WHERE held.stat_date = :day AND held.dataset = 'daily'
