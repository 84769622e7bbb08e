-- An accepted submission that lost all of its cells replaces nothing.
UPDATE verdict
SET
    rows_sent = kept.rows_sent,
    verdict = CASE WHEN kept.rows_sent = 0 THEN 'rejected' ELSE 'accepted' END
FROM kept
WHERE verdict.batch_id = kept.batch_id AND verdict.unit_id = kept.unit_id AND verdict.revision = kept.revision
