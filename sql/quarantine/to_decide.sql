-- Rows of a day that wait for a person; those of a closed month wait for the month.
SELECT
    quarantine.quarantine_id, platform.platform, quarantine.reason_code, quarantine.reason, quarantine.place,
    quarantine.raw
FROM quality.quarantine
JOIN landing.batch USING (batch_id)
JOIN core.platform USING (platform_id)
WHERE quarantine.stat_date = :day AND quarantine.state = 'held' AND quarantine.reason_code <> 'period_locked'
ORDER BY platform.platform, quarantine.reason_code, quarantine.quarantine_id
