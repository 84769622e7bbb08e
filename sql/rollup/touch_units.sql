-- The units whose figures changed since the day was last rolled up, and all divisions above them on that day; who is
-- expected was decided when the day was rolled up whole. A unit that had nothing to do with the day then is not expected.
CREATE TEMPORARY TABLE touched ON COMMIT DROP AS
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

SELECT
    upward.division_id,
    level.depth,
    coalesce(reporting.is_leaf, NOT EXISTS (
        SELECT FROM core.division_period AS below
        WHERE below.parent_id = upward.division_id AND below.valid_from <= :day AND :day < below.valid_to
    )) AS is_leaf,
    coalesce(reporting.is_expected, false) AS is_expected,
    expected.due_at,
    expected.cutoff_at
FROM upward
JOIN core.level ON level.level = upward.level
LEFT JOIN (
    SELECT expected_day.due_at, expected_day.cutoff_at, unnest(expected_day.unit_ids) AS unit_id
    FROM core.expected_day
    WHERE expected_day.stat_date = :day AND expected_day.dataset = 'daily' AND expected_day.known_to = 'infinity'
        AND expected_day.due_at IS NOT NULL
) AS expected ON expected.unit_id = upward.division_id
LEFT JOIN mart.daily_reporting AS reporting
    ON reporting.stat_date = :day AND reporting.division_id = upward.division_id;
