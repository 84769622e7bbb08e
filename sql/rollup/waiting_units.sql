-- The units whose figures changed since the day was last rolled up, and all divisions above them on that day.
CREATE TEMPORARY TABLE upward ON COMMIT DROP AS
WITH RECURSIVE upward AS (
    SELECT period.division_id, period.parent_id, period.level
    FROM mart.daily_rollup AS rollup
    CROSS JOIN LATERAL unnest(rollup.units_waiting) AS waiting (unit_id)
    JOIN core.division_period AS period
        ON period.division_id = waiting.unit_id AND period.valid_from <= :day AND :day < period.valid_to
    WHERE rollup.stat_date = :day
    UNION
    SELECT period.division_id, period.parent_id, period.level
    FROM upward
    JOIN core.division_period AS period ON period.division_id = upward.parent_id
    WHERE period.valid_from <= :day AND :day < period.valid_to
)

SELECT upward.division_id, upward.level
FROM upward
