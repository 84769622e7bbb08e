-- Provinces and cities with figures in a period, and how many submissions were expected of them.
SELECT division.division_code, place.level, reporting.expected
FROM mart.period
CROSS JOIN LATERAL mart.period_reporting_of(period.period_id) AS reporting
JOIN core.division ON division.division_id = reporting.division_id
JOIN core.division_period AS place
    ON place.division_id = reporting.division_id
    AND place.valid_from <= reporting.last_day AND reporting.last_day < place.valid_to
WHERE period.period = :period AND place.level IN ('province', 'city') AND reporting.expected > 0
ORDER BY place.level = 'province' DESC, division.division_code
