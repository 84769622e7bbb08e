-- A higher revision of which nothing could be taken: the earlier one stays, and says so.
INSERT INTO quality.flag (batch_id, unit_code, stat_date, check_code, message)
SELECT
    verdict.batch_id, division.division_code, :day, 'revision_rejected',
    '更高版次的全部数据被隔离，仍保留先前版次'
FROM verdict
JOIN core.division ON division.division_id = verdict.unit_id
WHERE verdict.verdict = 'rejected' AND verdict.revision > verdict.head_revision
ON CONFLICT DO NOTHING
