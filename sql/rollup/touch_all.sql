-- Every division that has to do with the day: inside the area of a platform, with a submission, or above such a one;
-- and whether its own unit is expected: active, inside the area and at a level of a platform that expects reports today.
CREATE TEMPORARY TABLE touched ON COMMIT DROP AS
WITH RECURSIVE active AS MATERIALIZED (
    SELECT period.division_id, period.parent_id, period.level, level.depth
    FROM core.division_period AS period
    JOIN core.level ON level.level = period.level
    WHERE period.valid_from <= :day AND :day < period.valid_to
),

named AS (
    SELECT division.division_id, array_agg(platform.platform_id) AS platforms
    FROM core.platform
    CROSS JOIN LATERAL unnest(platform.area) AS area (division_code)
    JOIN core.division ON division.division_code = area.division_code
    WHERE platform.is_declared AND :dataset = ANY(platform.datasets)
    GROUP BY division.division_id
),

-- From the top down, each division with the platforms whose area it lies in.
covered AS (
    SELECT active.division_id, active.level, active.depth, coalesce(named.platforms, '{}') AS platforms
    FROM active
    LEFT JOIN named ON named.division_id = active.division_id
    WHERE active.parent_id IS NULL
    UNION ALL
    SELECT active.division_id, active.level, active.depth, covered.platforms || coalesce(named.platforms, '{}')
    FROM covered
    JOIN active ON active.parent_id = covered.division_id
    LEFT JOIN named ON named.division_id = active.division_id
),

-- From the bottom up: those named, those that sent something without lying in an area, and all above them.
upward AS (
    SELECT named.division_id
    FROM named
    UNION
    SELECT submission.unit_id
    FROM core.submission
    LEFT JOIN covered ON covered.division_id = submission.unit_id AND cardinality(covered.platforms) > 0
    WHERE submission.stat_date = :day AND submission.dataset = :dataset AND submission.known_to = 'infinity'
        AND covered.division_id IS NULL
    UNION
    SELECT active.parent_id
    FROM upward
    JOIN active ON active.division_id = upward.division_id
),

due AS (
    SELECT level.level, array_agg(platform.platform_id) AS platforms
    FROM core.platform
    CROSS JOIN LATERAL unnest(platform.levels) AS level (level)
    WHERE platform.platform = ANY(:expecting)
    GROUP BY level.level
)

SELECT
    covered.division_id,
    covered.depth,
    parents.parent_id IS NULL AS is_leaf,
    coalesce(covered.platforms && due.platforms, false) AS is_expected
FROM covered
LEFT JOIN due ON due.level = covered.level
LEFT JOIN (SELECT DISTINCT active.parent_id FROM active) AS parents ON parents.parent_id = covered.division_id
WHERE cardinality(covered.platforms) > 0
    OR covered.division_id IN (SELECT upward.division_id FROM upward WHERE upward.division_id IS NOT NULL);
