-- Every division that has to do with the day: inside the area of a platform, with a submission, or above such a one;
-- and whether its own unit is expected: active, inside the area and at a level of a platform that expects reports today.
CREATE TEMPORARY TABLE touched ON COMMIT DROP AS
WITH RECURSIVE active AS (
    SELECT period.division_id, period.parent_id, period.level, level.depth
    FROM core.division_period AS period
    JOIN core.level ON level.level = period.level
    WHERE period.valid_from <= :day AND :day < period.valid_to
),

covered AS (
    SELECT platform.platform_id, active.division_id
    FROM core.platform
    CROSS JOIN LATERAL unnest(platform.area) AS area (division_code)
    JOIN core.division ON division.division_code = area.division_code
    JOIN active ON active.division_id = division.division_id
    WHERE platform.is_declared AND 'daily' = ANY(platform.datasets)
    UNION
    SELECT covered.platform_id, active.division_id
    FROM covered
    JOIN active ON active.parent_id = covered.division_id
),

concerned AS (
    SELECT covered.division_id
    FROM covered
    UNION
    SELECT submission.unit_id
    FROM core.submission
    WHERE submission.stat_date = :day AND submission.dataset = 'daily' AND submission.known_to = 'infinity'
    UNION
    SELECT active.parent_id
    FROM concerned
    JOIN active ON active.division_id = concerned.division_id
),

expected AS (
    SELECT DISTINCT covered.division_id
    FROM covered
    JOIN active ON active.division_id = covered.division_id
    JOIN core.platform ON platform.platform_id = covered.platform_id
    WHERE platform.platform = ANY(:expecting) AND active.level = ANY(platform.levels)
)

SELECT
    active.division_id,
    active.depth,
    parents.parent_id IS NULL AS is_leaf,
    expected.division_id IS NOT NULL AS is_expected
FROM concerned
JOIN active ON active.division_id = concerned.division_id
LEFT JOIN (SELECT DISTINCT active.parent_id FROM active) AS parents ON parents.parent_id = active.division_id
LEFT JOIN expected ON expected.division_id = active.division_id;
