-- The counties of the day.
SELECT period.division_id, period.division_name
FROM core.division_period AS period
WHERE period.level = 'county' AND period.valid_from <= :day AND :day < period.valid_to
ORDER BY period.division_id
