-- Divisions whose name, level or place became known to be another between two moments.
SELECT
    count(*) AS changes,
    coalesce(array_agg(period.division_name ORDER BY division.division_code), '{}') AS names
FROM core.division_period AS period
JOIN core.division ON division.division_id = period.division_id
WHERE period.known_from > :since AND period.known_from <= :until AND period.valid_from <= :last
