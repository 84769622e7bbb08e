-- Rows of days in a period that are held back, by reason, with one reason in words.
SELECT quarantine.reason_code, count(*) AS held_count, min(quarantine.reason) AS example
FROM quality.quarantine
JOIN landing.batch ON batch.batch_id = quarantine.batch_id
JOIN core.platform ON platform.platform_id = batch.platform_id
WHERE batch.stat_date BETWEEN :first_day AND :last_day AND quarantine.state = 'held'
    AND platform.platform = ANY(:platforms)
GROUP BY quarantine.reason_code
ORDER BY quarantine.reason_code
