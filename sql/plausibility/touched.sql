-- Units that changed, and all divisions above them on the day.
WITH RECURSIVE upward AS (
    SELECT period.division_id, period.parent_id, period.level
    FROM core.division_period AS period
    WHERE period.division_id = ANY(:units) AND period.valid_from <= :day AND :day < period.valid_to
    UNION
    SELECT period.division_id, period.parent_id, period.level
    FROM upward
    JOIN core.division_period AS period ON period.division_id = upward.parent_id
    WHERE period.valid_from <= :day AND :day < period.valid_to
)

SELECT upward.division_id, division.division_code AS code, upward.level
FROM upward
JOIN core.division USING (division_id)
