-- Every code that was ever in a list, as columns; level is null and parent 0 where it is not active on the day. One row
-- of arrays, for 64,095 rows take four times as long to fetch.
SELECT
    array_agg(division.division_code) AS division_code,
    array_agg(division.division_id) AS division_id,
    array_agg(period.level) AS level,
    array_agg(coalesce(period.parent_id, 0)) AS parent_id
FROM core.division
LEFT JOIN core.division_period AS period
    ON period.division_id = division.division_id AND period.valid_from <= :day AND :day < period.valid_to
