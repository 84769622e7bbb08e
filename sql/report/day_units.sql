-- One row per division of a day that has units expected or reported: its own unit and all below it. nil_levels: at which
-- levels a unit reported nil, bit 2^depth; here of the division's own unit alone.
SELECT
    division.division_code,
    place.division_name,
    level.depth,
    parent.division_code AS parent_code,
    reporting.units_expected AS expected,
    reporting.received,
    reporting.on_time,
    reporting.late,
    reporting.rejected,
    reporting.is_expected::integer AS own_expected,
    reporting.is_reported::integer AS own_reported,
    CASE WHEN own.is_nil THEN 1 << level.depth ELSE 0 END AS nil_levels,
    coalesce(reporting.cutoff_at < core.judged_at(), false) AS is_over,
    reporting.received < completeness.provisional_below * reporting.units_expected AS is_provisional
FROM mart.daily_reporting AS reporting
JOIN core.division ON division.division_id = reporting.division_id
JOIN core.division_period AS place
    ON place.division_id = reporting.division_id
    AND place.valid_from <= reporting.stat_date AND reporting.stat_date < place.valid_to
JOIN core.level ON level.level = place.level
CROSS JOIN (SELECT CAST(:provisional_below AS numeric) AS provisional_below) AS completeness
LEFT JOIN core.division AS parent ON parent.division_id = place.parent_id
LEFT JOIN (
    SELECT submission.unit_id, bool_or(submission.is_nil) AS is_nil
    FROM core.submission
    WHERE submission.stat_date = :last_day AND submission.dataset = 'daily' AND submission.known_to = 'infinity'
        AND NOT submission.is_withdrawn
    GROUP BY submission.unit_id
) AS own ON own.unit_id = reporting.division_id
WHERE reporting.stat_date = :last_day AND (reporting.units_expected > 0 OR reporting.units_reported > 0)
ORDER BY division.division_code
