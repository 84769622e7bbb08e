-- Divisions of a day, and all above them.
WITH RECURSIVE upward AS (
    SELECT period.division_id, period.division_name, period.level, period.parent_id
    FROM core.division_period AS period
    WHERE period.division_id = ANY(:ids) AND period.valid_from <= :day AND :day < period.valid_to
    UNION
    SELECT period.division_id, period.division_name, period.level, period.parent_id
    FROM upward
    JOIN core.division_period AS period ON period.division_id = upward.parent_id
    WHERE period.valid_from <= :day AND :day < period.valid_to
)

SELECT upward.division_id, division.division_code, upward.division_name, upward.level, upward.parent_id
FROM upward
JOIN core.division ON division.division_id = upward.division_id
