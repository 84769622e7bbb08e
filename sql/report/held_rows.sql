-- Rows of the day's batches that are held back, by reason, with one reason in words.
SELECT quarantine.reason_code, count(*) AS held_count, min(quarantine.reason) AS example
FROM quality.quarantine
JOIN landing.batch ON batch.batch_id = quarantine.batch_id
WHERE batch.stat_date = :day AND batch.dataset = 'daily' AND quarantine.state = 'held'
GROUP BY quarantine.reason_code
ORDER BY quarantine.reason_code
