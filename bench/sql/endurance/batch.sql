-- One batch for every county and day of the month: its file of that day, loaded.
INSERT INTO landing.batch (
    batch_id, platform_id, dataset, stat_date, source_name, sha256, part_sizes, scope, scope_revision, file_modified_at,
    received_at, pulled_at, state
)
OVERRIDING SYSTEM VALUE
SELECT
    :first_batch + row_number() OVER (ORDER BY day.stat_date, county.code),
    platform.platform_id,
    'daily',
    day.stat_date,
    format('township_%s_%s_r1.csv.gz', county.code, to_char(day.stat_date, 'YYYYMMDD')),
    md5(county.code || day.stat_date) || md5(day.stat_date || county.code),
    ARRAY[20000],
    county.code,
    1,
    (day.stat_date + time '17:50') AT TIME ZONE 'Asia/Shanghai',
    (day.stat_date + time '17:50') AT TIME ZONE 'Asia/Shanghai',
    (day.stat_date + time '18:31') AT TIME ZONE 'Asia/Shanghai',
    'loaded'
FROM (
    SELECT left(division.division_code, 6) AS code
    FROM core.division
    JOIN core.division_period AS period USING (division_id)
    WHERE period.level = 'county' AND period.valid_from <= :first AND :first < period.valid_to
) AS county
JOIN core.platform ON left(platform.area[1], 4) = left(county.code, 4) AND 'daily' = ANY(platform.datasets)
CROSS JOIN (
    SELECT generate_series(CAST(:first AS date), CAST(:last AS date), interval '1 day')::date AS stat_date
) AS day
