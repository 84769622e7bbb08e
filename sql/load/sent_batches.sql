-- What senders have sent of the day and is loaded now, batch by batch. is_taken: something of it is let in, or it is empty
-- and says so: then a whole file stands for what it leaves out.
CREATE TEMPORARY TABLE sent_batch ON COMMIT DROP AS
SELECT
    batch.batch_id,
    batch.platform_id,
    batch.scope,
    batch.scope_revision,
    batch.received_at,
    regexp_replace(batch.source_name, '(_r[0-9]+)?\.xlsx$', '') AS workbook,
    EXISTS (
        SELECT FROM landing.staged_submission AS staged
        WHERE staged.batch_id = batch.batch_id AND NOT staged.is_rejected
    )
    OR (batch.rows_received = 0 AND NOT EXISTS (
        SELECT FROM quality.flag WHERE flag.batch_id = batch.batch_id AND flag.check_code = 'nil_held'
    )) AS is_taken
FROM landing.batch
WHERE batch.stat_date = :day AND batch.dataset = :dataset AND batch.state = 'gated'
    AND batch.kind IN ('sent', 'reopened');
