-- Those of the codes that were ever in a list, and all above them, as columns; level is null and parent 0 where one is
-- not active on the day. One row of arrays, for as many rows take four times as long to fetch.
WITH RECURSIVE mine AS (
    SELECT division.division_code, division.division_id, period.level, coalesce(period.parent_id, 0) AS parent_id
    FROM core.division
    LEFT JOIN core.division_period AS period
        ON period.division_id = division.division_id AND period.valid_from <= :day AND :day < period.valid_to
    WHERE division.division_code = ANY(:codes)
    UNION
    SELECT division.division_code, division.division_id, period.level, coalesce(period.parent_id, 0)
    FROM (SELECT DISTINCT mine.parent_id FROM mine) AS above
    INNER JOIN core.division ON division.division_id = above.parent_id
    LEFT JOIN core.division_period AS period
        ON period.division_id = division.division_id AND period.valid_from <= :day AND :day < period.valid_to
)

SELECT
    coalesce(array_agg(mine.division_code), '{}') AS division_code,
    coalesce(array_agg(mine.division_id), '{}') AS division_id,
    coalesce(array_agg(mine.level), '{}') AS level,
    coalesce(array_agg(mine.parent_id), '{}') AS parent_id,
    EXISTS (SELECT FROM core.division) AS is_any_loaded
FROM mine
