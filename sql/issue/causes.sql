-- What came in of the days between two moments, per division that it was summed into; '' stands for all together.
WITH RECURSIVE changed AS MATERIALIZED (
    SELECT
        submission.unit_id, submission.stat_date, platform.platform,
        CASE
            WHEN batch.kind <> 'sent' THEN batch.kind
            WHEN EXISTS (
                SELECT FROM core.submission AS before
                WHERE before.stat_date = submission.stat_date AND before.unit_id = submission.unit_id
                    AND before.platform_id = submission.platform_id AND before.dataset = submission.dataset
                    AND before.known_to = submission.known_from
            ) THEN 'revised'
            ELSE 'late'
        END AS kind
    FROM core.submission
    JOIN landing.batch ON batch.batch_id = submission.batch_id
    JOIN core.platform ON platform.platform_id = submission.platform_id
    WHERE submission.known_from > :since AND submission.known_from <= :until AND submission.stat_date IN (
        SELECT rollup.stat_date
        FROM mart.daily_rollup AS rollup
        WHERE rollup.stat_date BETWEEN :first AND :last AND rollup.loaded_at > :since
        UNION
        SELECT rollup.stat_date
        FROM mart.stock_rollup AS rollup
        WHERE rollup.stat_date BETWEEN :first AND :last AND rollup.loaded_at > :since
    )
),

upward AS (
    SELECT unit.unit_id, unit.stat_date, unit.unit_id AS division_id
    FROM (SELECT DISTINCT changed.unit_id, changed.stat_date FROM changed) AS unit
    UNION ALL
    SELECT upward.unit_id, upward.stat_date, place.parent_id
    FROM upward
    JOIN core.division_period AS place
        ON place.division_id = upward.division_id
        AND place.valid_from <= upward.stat_date AND upward.stat_date < place.valid_to
    WHERE place.parent_id IS NOT NULL
)

SELECT
    division.division_code,
    changed.kind,
    count(*) AS submissions,
    min(changed.stat_date) AS first_day,
    max(changed.stat_date) AS last_day,
    array_agg(DISTINCT changed.platform ORDER BY changed.platform) AS platforms
FROM upward
JOIN changed ON changed.unit_id = upward.unit_id AND changed.stat_date = upward.stat_date
JOIN core.division ON division.division_id = upward.division_id
WHERE division.division_code = ANY(:codes)
GROUP BY division.division_code, changed.kind
UNION ALL
SELECT
    '', changed.kind, count(*), min(changed.stat_date), max(changed.stat_date),
    array_agg(DISTINCT changed.platform ORDER BY changed.platform)
FROM changed
GROUP BY changed.kind
ORDER BY 1, 2
