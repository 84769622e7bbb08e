-- A later edition of a whole file of which nothing could be taken: it withdraws nobody, and says so.
INSERT INTO quality.flag (batch_id, unit_code, stat_date, check_code, message)
SELECT batch.batch_id, NULL, :day, 'revision_rejected', '整份文件的全部数据被隔离，仍保留先前各版'
FROM sent_batch AS batch
WHERE batch.scope_revision IS NOT NULL AND NOT batch.is_taken
    AND EXISTS (
        SELECT FROM landing.batch AS earlier
        WHERE earlier.stat_date = :day AND earlier.dataset = :dataset AND earlier.platform_id = batch.platform_id
            AND earlier.scope = batch.scope AND earlier.scope_revision < batch.scope_revision
    )
ON CONFLICT DO NOTHING
