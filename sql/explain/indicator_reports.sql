-- The division's submissions of each day: its own unit's and all below it.
SELECT
    division.division_code AS unit_code,
    place.division_name AS unit_name,
    reporting.stat_date,
    NULL::text AS measure,
    NULL::text AS channel,
    CASE CAST(:which AS text)
        WHEN 'expected' THEN reporting.units_expected
        WHEN 'received' THEN reporting.received
        ELSE reporting.on_time
    END AS value
FROM mart.daily_reporting AS reporting
JOIN core.division ON division.division_id = reporting.division_id
JOIN core.division_period AS place
    ON place.division_id = reporting.division_id
    AND place.valid_from <= reporting.stat_date AND reporting.stat_date < place.valid_to
WHERE division.division_code = :division AND reporting.stat_date BETWEEN :first_day AND :last_day
ORDER BY reporting.stat_date
