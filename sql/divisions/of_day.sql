-- Every code that was ever in a list; level and parent are null where it is not active on the day.
SELECT
    division.division_code,
    division.division_id,
    period.level,
    period.parent_id
FROM core.division
LEFT JOIN core.division_period AS period
    ON period.division_id = division.division_id AND period.valid_from <= :day AND :day < period.valid_to
