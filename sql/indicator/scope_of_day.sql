-- The divisions of the day and how their reports came in; columns as in scope_of_period.
CREATE TEMPORARY TABLE scope ON COMMIT DROP AS
SELECT
    place.division_id,
    place.parent_id,
    level.depth,
    parents.parent_id IS NOT NULL AS has_below,
    coalesce(reporting.is_leaf, parents.parent_id IS NULL) AS is_leaf,
    reporting.division_id IS NOT NULL AS is_judged,
    coalesce(reporting.nil_levels, 0) AS nil_levels,
    reporting.units_expected AS expected,
    reporting.received,
    reporting.on_time
FROM core.division_period AS place
JOIN core.level ON level.level = place.level
LEFT JOIN mart.daily_reporting AS reporting
    ON reporting.stat_date = :last_day AND reporting.division_id = place.division_id
LEFT JOIN (
    SELECT DISTINCT below.parent_id
    FROM core.division_period AS below
    WHERE below.valid_from <= :last_day AND :last_day < below.valid_to
) AS parents ON parents.parent_id = place.division_id
WHERE place.valid_from <= :last_day AND :last_day < place.valid_to
