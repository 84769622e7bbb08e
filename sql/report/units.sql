-- One row per division of the day that has units expected or reported, its own unit included; is_nil: its own unit
-- sent a report without figures, which counts as 0 in all that it owes (ruling 12).
SELECT
    division.division_code,
    period.division_name,
    period.level,
    parent.division_code AS parent_code,
    reporting.is_expected,
    reporting.is_reported,
    coalesce(own.is_nil, false) AS is_nil,
    reporting.units_expected,
    reporting.units_reported
FROM mart.daily_reporting AS reporting
JOIN core.division ON division.division_id = reporting.division_id
JOIN core.division_period AS period
    ON period.division_id = reporting.division_id
    AND period.valid_from <= reporting.stat_date AND reporting.stat_date < period.valid_to
LEFT JOIN core.division AS parent ON parent.division_id = period.parent_id
LEFT JOIN (
    SELECT submission.unit_id, bool_or(cardinality(submission.cells) = 0) AS is_nil
    FROM core.submission
    WHERE submission.stat_date = :day AND submission.dataset = 'daily' AND submission.known_to = 'infinity'
        AND NOT submission.is_withdrawn
    GROUP BY submission.unit_id
) AS own ON own.unit_id = reporting.division_id
WHERE reporting.stat_date = :day AND (reporting.units_expected > 0 OR reporting.units_reported > 0)
ORDER BY division.division_code
