-- One level: who was expected and who reported, and when: the unit itself and all below it.
INSERT INTO mart.daily_reporting (
    stat_date, division_id, is_leaf, is_expected, is_reported, has_figures, units_expected, units_reported, received,
    on_time, late, rejected, nil_levels, cutoff_at
)
SELECT
    :day,
    unit.division_id,
    unit.is_leaf,
    unit.is_expected,
    unit.is_reported,
    unit.has_figures OR coalesce(below.has_figures, false),
    unit.is_expected::integer + coalesce(below.units_expected, 0),
    unit.is_reported::integer + coalesce(below.units_reported, 0),
    (unit.is_expected AND unit.is_reported)::integer + coalesce(below.received, 0),
    (unit.is_expected AND unit.is_reported AND unit.received_at <= unit.due_at)::integer + coalesce(below.on_time, 0),
    (
        unit.is_expected AND unit.is_reported AND unit.due_at < unit.received_at
        AND unit.received_at <= unit.cutoff_at
    )::integer + coalesce(below.late, 0),
    (unit.is_expected AND unit.is_rejected)::integer + coalesce(below.rejected, 0),
    CASE WHEN unit.has_nil THEN 1 << unit.depth ELSE 0 END | coalesce(below.nil_levels, 0),
    greatest(unit.cutoff_at, below.cutoff_at)
FROM (
    SELECT
        touched.*,
        coalesce(own.is_reported, false) AS is_reported,
        coalesce(own.has_figures, false) AS has_figures,
        coalesce(own.has_nil, false) AS has_nil,
        coalesce(NOT own.is_reported, false) AS is_rejected,
        own.received_at
    FROM touched
    LEFT JOIN own ON own.unit_id = touched.division_id
    WHERE touched.depth = :depth
) AS unit
LEFT JOIN (
    SELECT
        kin.parent_id,
        bool_or(reporting.has_figures) AS has_figures,
        sum(reporting.units_expected)::integer AS units_expected,
        sum(reporting.units_reported)::integer AS units_reported,
        sum(reporting.received)::integer AS received,
        sum(reporting.on_time)::integer AS on_time,
        sum(reporting.late)::integer AS late,
        sum(reporting.rejected)::integer AS rejected,
        bit_or(reporting.nil_levels) AS nil_levels,
        max(reporting.cutoff_at) AS cutoff_at
    FROM kin
    JOIN mart.daily_reporting AS reporting
        ON reporting.stat_date = :day AND reporting.division_id = kin.division_id
    WHERE kin.parent_depth = :depth
    GROUP BY kin.parent_id
) AS below ON below.parent_id = unit.division_id
ORDER BY unit.division_id
