-- The divisions of the period as they stood on their last day in it.
CREATE TEMPORARY TABLE satisfaction_division ON COMMIT DROP AS
SELECT
    reporting.division_id,
    division.division_code,
    place.parent_id,
    level.depth,
    reporting.last_day,
    reporting.is_leaf,
    reporting.days_known,
    reporting.expected,
    reporting.received,
    reporting.nil_levels
FROM mart.period_reporting AS reporting
JOIN core.division ON division.division_id = reporting.division_id
JOIN core.division_period AS place
    ON place.division_id = reporting.division_id
    AND place.valid_from <= reporting.last_day AND reporting.last_day < place.valid_to
JOIN core.level ON level.level = place.level
WHERE reporting.period_id = :period_id
