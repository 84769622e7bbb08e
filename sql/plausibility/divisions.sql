-- The divisions of some levels as they stand on the day, in the order of their codes.
SELECT
    period.division_id,
    division.division_code AS code,
    period.division_name AS name,
    period.level,
    coalesce(period.parent_id, 0) AS parent_id
FROM core.division_period AS period
JOIN core.division USING (division_id)
WHERE period.valid_from <= :day AND :day < period.valid_to AND period.level = ANY(:levels)
ORDER BY division.division_code
