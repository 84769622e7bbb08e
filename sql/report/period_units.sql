-- One row per division of a month, quarter or year that had units expected or reported, as in day_units; a unit counts once
-- for each day on which it was expected. What remains of a division's own unit is own_expected, counted by the caller.
SELECT
    division.division_code,
    place.division_name,
    level.depth,
    parent.division_code AS parent_code,
    reporting.expected,
    reporting.received,
    reporting.on_time,
    reporting.late,
    reporting.rejected,
    NULL::integer AS own_expected,
    reporting.own_reported,
    reporting.nil_levels,
    coalesce(reporting.cutoff_at < core.judged_at(), false) AS is_over,
    mart.is_provisional(this, reporting.expected, reporting.received) AS is_provisional
FROM mart.period AS this
CROSS JOIN LATERAL mart.period_reporting_of(this.period_id) AS reporting
JOIN core.division ON division.division_id = reporting.division_id
JOIN core.division_period AS place
    ON place.division_id = reporting.division_id
    AND place.valid_from <= reporting.last_day AND reporting.last_day < place.valid_to
JOIN core.level ON level.level = place.level
LEFT JOIN core.division AS parent ON parent.division_id = place.parent_id
WHERE this.period = :period AND (reporting.expected > 0 OR reporting.reported > 0)
ORDER BY division.division_code
