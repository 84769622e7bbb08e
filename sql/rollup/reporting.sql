-- One level: who was expected and who reported, the unit itself and all below it.
INSERT INTO mart.daily_reporting (
    stat_date, division_id, is_leaf, is_expected, is_reported, has_figures, units_expected, units_reported
)
SELECT
    :day,
    touched.division_id,
    touched.is_leaf,
    touched.is_expected,
    own.unit_id IS NOT NULL,
    coalesce(own.has_figures, false) OR coalesce(below.has_figures, false),
    touched.is_expected::integer + coalesce(below.units_expected, 0),
    (own.unit_id IS NOT NULL)::integer + coalesce(below.units_reported, 0)
FROM touched
LEFT JOIN own ON own.unit_id = touched.division_id
LEFT JOIN (
    SELECT
        kin.parent_id,
        bool_or(reporting.has_figures) AS has_figures,
        sum(reporting.units_expected)::integer AS units_expected,
        sum(reporting.units_reported)::integer AS units_reported
    FROM kin
    JOIN mart.daily_reporting AS reporting
        ON reporting.stat_date = :day AND reporting.division_id = kin.division_id
    WHERE kin.parent_depth = :depth
    GROUP BY kin.parent_id
) AS below ON below.parent_id = touched.division_id
WHERE touched.depth = :depth
