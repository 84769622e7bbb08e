-- Codes of the units, or names of the platforms, that a digest is about.
SELECT coalesce(division.division_code, platform.platform) AS code
FROM quality.alert
CROSS JOIN LATERAL unnest(alert.subject_ids) AS subject (subject_id)
LEFT JOIN core.division ON alert.reason NOT IN ('outage', 'recovered') AND division.division_id = subject.subject_id
LEFT JOIN core.platform ON alert.reason IN ('outage', 'recovered') AND platform.platform_id = subject.subject_id
WHERE alert.alert_id = :alert_id
ORDER BY 1
