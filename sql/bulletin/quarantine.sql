-- Rows of the days of a period that were held back, by reason and state: of units of a division, and those whose unit
-- nobody knows, from platforms that report for it alone.
SELECT quarantine.reason_code, quarantine.state, count(*) AS held_rows
FROM quality.quarantine
WHERE quarantine.stat_date BETWEEN :first AND :last
    AND (
        quarantine.unit_code = ANY(:codes)
        OR NOT EXISTS (SELECT FROM core.division WHERE division.division_code = quarantine.unit_code)
        AND quarantine.batch_id IN (
            SELECT batch.batch_id
            FROM landing.batch
            JOIN core.platform ON platform.platform_id = batch.platform_id
            WHERE batch.stat_date BETWEEN :first AND :last AND platform.platform = ANY(:own_platforms)
        )
    )
GROUP BY quarantine.reason_code, quarantine.state
ORDER BY quarantine.reason_code, quarantine.state
