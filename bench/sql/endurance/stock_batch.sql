-- The batch in which each platform's stocks of a month's end came.
INSERT INTO landing.batch (
    batch_id, platform_id, dataset, stat_date, source_name, sha256, received_at, pulled_at, state
)
OVERRIDING SYSTEM VALUE
SELECT
    :first_batch + row_number() OVER (ORDER BY platform.platform_id),
    platform.platform_id,
    'stocks',
    :last,
    'stocks',
    md5(platform.platform || :last) || md5(:last || platform.platform),
    (CAST(:last AS date) + 2 + time '15:00') AT TIME ZONE 'Asia/Shanghai',
    (CAST(:last AS date) + 2 + time '18:31') AT TIME ZONE 'Asia/Shanghai',
    'loaded'
FROM core.platform
WHERE 'stocks' = ANY(platform.datasets)
