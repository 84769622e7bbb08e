-- Every division known before the day a list is valid from, as last seen, as columns; whether it was in force on the eve.
SELECT
    array_agg(division.division_code) AS code,
    array_agg(last.division_name) AS name,
    array_agg(last.level) AS level,
    array_agg(coalesce(parent.division_code, '')) AS parent_code,
    array_agg(last.valid_to >= CAST(:valid_from AS date)) AS is_in_force
FROM (
    SELECT DISTINCT ON (period.division_id) period.*
    FROM core.division_period AS period
    WHERE period.valid_from < CAST(:valid_from AS date)
    ORDER BY period.division_id, period.valid_from DESC
) AS last
JOIN core.division ON division.division_id = last.division_id
LEFT JOIN core.division AS parent ON parent.division_id = last.parent_id
