-- The divisions of a period but for villages, each as on its last day in it, with its reporting.
SELECT
    reporting.division_id,
    coalesce(place.parent_id, 0) AS parent_id,
    place.level,
    reporting.is_leaf,
    reporting.expected,
    reporting.received,
    reporting.nil_levels
FROM mart.period_reporting AS reporting
JOIN core.division_period AS place
    ON place.division_id = reporting.division_id
    AND place.valid_from <= reporting.last_day AND reporting.last_day < place.valid_to
WHERE reporting.period_id = :period_id AND place.level <> 'village'
ORDER BY reporting.division_id
