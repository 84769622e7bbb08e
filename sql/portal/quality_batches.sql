-- Batches of a day, of platforms whose area meets the viewer's own part of the tree; those not in first.
SELECT ledger.*
FROM mart.ledger AS ledger
WHERE ledger.stat_date = :day AND (CAST(:own_id AS integer) IS NULL OR EXISTS (
    SELECT FROM mart.platform_area AS area
    WHERE area.platform = ledger.platform AND (
        area.division_code = ANY(:path)
        OR area.division_code IN (
            SELECT place.division_code
            FROM mart.division_below(CAST(:own_id AS integer), CAST(:day AS date)) AS below
            JOIN mart.division AS place ON place.division_id = below.division_id
        )
    )
))
ORDER BY ledger.state NOT IN ('failed', 'rejected'), ledger.platform, ledger.dataset, ledger.batch_id
