-- What came in of the days between two moments.
CREATE TEMPORARY TABLE changed ON COMMIT DROP AS
SELECT
    submission.unit_id, submission.stat_date, platform.platform,
    CASE
        WHEN batch.kind <> 'sent' THEN batch.kind
        WHEN before.unit_id IS NOT NULL THEN 'revised'
        ELSE 'late'
    END AS kind
FROM core.submission
JOIN landing.batch ON batch.batch_id = submission.batch_id
JOIN core.platform ON platform.platform_id = submission.platform_id
LEFT JOIN core.submission AS before
    ON before.stat_date = submission.stat_date AND before.unit_id = submission.unit_id
    AND before.platform_id = submission.platform_id AND before.dataset = submission.dataset
    AND before.known_to = submission.known_from
WHERE submission.known_from > :since AND submission.known_from <= :until AND submission.stat_date IN (
    SELECT rollup.stat_date
    FROM mart.daily_rollup AS rollup
    WHERE rollup.stat_date BETWEEN :first AND :last AND rollup.loaded_at > :since
    UNION
    SELECT rollup.stat_date
    FROM mart.stock_rollup AS rollup
    WHERE rollup.stat_date BETWEEN :first AND :last AND rollup.loaded_at > :since
)
