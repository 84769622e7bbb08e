-- What loading the list does, before it is done: periods ended on its day, and periods opened on it.
SELECT
    count(*) FILTER (WHERE wanted.valid_to = CAST(:valid_from AS date) AND period.valid_to > wanted.valid_to) AS closed,
    count(*) FILTER (WHERE wanted.valid_from = CAST(:valid_from AS date) AND period.division_id IS NULL) AS opened
FROM wanted
LEFT JOIN core.division_period AS period
    ON period.division_id = wanted.division_id AND period.valid_from = wanted.valid_from
