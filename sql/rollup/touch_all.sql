-- Every division that has to do with the day: inside the area of a platform, or above such a one (touch_strays adds the
-- others); and what its own unit owes. owed: the platforms that expect it today (its calendar says so, no exception excuses it);
-- none of them, yet not null: it lies in the area and at a level of a platform, and owes nothing today.
CREATE TEMPORARY TABLE touched ON COMMIT DROP AS
WITH RECURSIVE active AS MATERIALIZED (
    SELECT period.division_id, period.parent_id, period.level, level.depth
    FROM core.division_period AS period
    JOIN core.level ON level.level = period.level
    WHERE period.valid_from <= :day AND :day < period.valid_to
),

named AS (
    SELECT division.division_id, array_agg(area.platform_id) AS platforms
    FROM (
        SELECT platform.platform_id, unnest(platform.area) AS division_code
        FROM core.platform
        WHERE platform.is_declared AND :dataset = ANY(platform.datasets)
    ) AS area
    JOIN core.division ON division.division_code = area.division_code
    GROUP BY division.division_id
),

excused AS (
    SELECT division.division_id
    FROM core.division
    WHERE division.division_code = ANY(:excused)
),

-- From the top down, each division with the platforms whose area it lies in, and whether an exception is over it.
covered AS (
    SELECT
        active.division_id, active.level, active.depth, coalesce(named.platforms, '{}') AS platforms,
        excused.division_id IS NOT NULL AS is_excused
    FROM active
    LEFT JOIN named ON named.division_id = active.division_id
    LEFT JOIN excused ON excused.division_id = active.division_id
    WHERE active.parent_id IS NULL
    UNION ALL
    SELECT
        active.division_id, active.level, active.depth, covered.platforms || coalesce(named.platforms, '{}'),
        covered.is_excused OR excused.division_id IS NOT NULL
    FROM covered
    JOIN active ON active.parent_id = covered.division_id
    LEFT JOIN named ON named.division_id = active.division_id
    LEFT JOIN excused ON excused.division_id = active.division_id
),

upward AS (
    SELECT named.division_id
    FROM named
    UNION
    SELECT active.parent_id
    FROM upward
    JOIN active ON active.division_id = upward.division_id
),

asked AS (
    SELECT platform.platform_id, level.level, due.due_at, due.cutoff_at
    FROM core.platform
    CROSS JOIN LATERAL unnest(platform.levels) AS level (level)
    LEFT JOIN unnest(CAST(:expecting AS text[]), CAST(:due AS timestamptz[]), CAST(:cutoff AS timestamptz[]))
        AS due (platform, due_at, cutoff_at) ON due.platform = platform.platform
    WHERE platform.is_declared AND :dataset = ANY(platform.datasets)
),

-- Few different sets of platforms cover all divisions. A unit that owes several has the earliest of their times.
debt AS (
    SELECT
        alike.level,
        alike.platforms,
        coalesce(
            array_agg(asked.platform_id ORDER BY asked.platform_id) FILTER (WHERE asked.due_at IS NOT NULL), '{}'
        ) AS owed,
        min(asked.due_at) AS due_at,
        min(asked.cutoff_at) AS cutoff_at
    FROM (SELECT DISTINCT covered.level, covered.platforms FROM covered) AS alike
    JOIN asked ON asked.level = alike.level AND asked.platform_id = ANY(alike.platforms)
    GROUP BY alike.level, alike.platforms
)

SELECT
    covered.division_id,
    covered.depth,
    parents.parent_id IS NULL AS is_leaf,
    debt.due_at IS NOT NULL AND NOT covered.is_excused AS is_expected,
    CASE WHEN covered.is_excused AND debt.owed IS NOT NULL THEN '{}' ELSE debt.owed END AS owed,
    CASE WHEN NOT covered.is_excused THEN debt.due_at END AS due_at,
    CASE WHEN NOT covered.is_excused THEN debt.cutoff_at END AS cutoff_at
FROM covered
LEFT JOIN debt ON debt.level = covered.level AND debt.platforms = covered.platforms
LEFT JOIN (SELECT DISTINCT active.parent_id FROM active) AS parents ON parents.parent_id = covered.division_id
LEFT JOIN upward ON upward.division_id = covered.division_id
WHERE cardinality(covered.platforms) > 0 OR upward.division_id IS NOT NULL;
