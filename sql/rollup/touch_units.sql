-- Those: who is expected was decided when the day was rolled up whole. A unit that had nothing to do with the day then is
-- not expected.
CREATE TEMPORARY TABLE touched ON COMMIT DROP AS
WITH reporting AS MATERIALIZED (
    SELECT daily_reporting.division_id, daily_reporting.is_leaf, daily_reporting.is_expected
    FROM mart.daily_reporting
    WHERE daily_reporting.stat_date = :day AND daily_reporting.division_id IN (SELECT upward.division_id FROM upward)
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
LEFT JOIN reporting ON reporting.division_id = upward.division_id
