INSERT INTO landing.batch (
    batch_id, platform_id, dataset, stat_date, source_name, sha256, part_sizes, scope, scope_revision, file_modified_at,
    received_at, pulled_at, state, rows_received, rows_loaded
)
OVERRIDING SYSTEM VALUE
SELECT
    batch.batch_id - :batches,
    batch.platform_id,
    batch.dataset,
    batch.stat_date + :shift,
    replace(batch.source_name, to_char(batch.stat_date, 'YYYYMMDD'), to_char(batch.stat_date + :shift, 'YYYYMMDD')),
    md5(batch.sha256 || :shift) || md5(:shift || batch.sha256),
    batch.part_sizes,
    batch.scope,
    batch.scope_revision,
    batch.file_modified_at + make_interval(days => :shift),
    batch.received_at + make_interval(days => :shift),
    batch.pulled_at + make_interval(days => :shift),
    'loaded',
    batch.rows_received,
    batch.rows_loaded
FROM landing.batch
WHERE batch.stat_date BETWEEN :first AND :last AND batch.dataset = :dataset
