-- The divisions of the period's last day, and how their reports of the period came in. has_below: on that day; is_leaf: on no
-- day had it others below. is_judged: something is known of it.
CREATE TEMPORARY TABLE scope ON COMMIT DROP AS
SELECT
    place.division_id,
    place.parent_id,
    level.depth,
    parents.parent_id IS NOT NULL AS has_below,
    coalesce(reporting.is_leaf, parents.parent_id IS NULL) AS is_leaf,
    reporting.division_id IS NOT NULL OR stocked.division_id IS NOT NULL AS is_judged,
    coalesce(reporting.nil_levels, 0) AS nil_levels,
    reporting.expected,
    reporting.received,
    reporting.on_time
FROM core.division_period AS place
JOIN core.level ON level.level = place.level
LEFT JOIN mart.period_reporting AS reporting
    ON reporting.period_id = :period_id AND reporting.division_id = place.division_id
LEFT JOIN mart.stock_reporting AS stocked
    ON stocked.stat_date = :last_day AND stocked.division_id = place.division_id
LEFT JOIN (
    SELECT DISTINCT below.parent_id
    FROM core.division_period AS below
    WHERE below.valid_from <= :last_day AND :last_day < below.valid_to
) AS parents ON parents.parent_id = place.division_id
WHERE place.valid_from <= :last_day AND :last_day < place.valid_to
