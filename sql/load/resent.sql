-- Of units of which rows are held: what of them this load has taken, as they sent it.
CREATE TEMPORARY TABLE resent ON COMMIT DROP AS
SELECT division.division_code AS unit_code, submission.platform_id, submission.revision, submission.batch_id
FROM core.submission
JOIN core.division ON division.division_id = submission.unit_id
WHERE submission.stat_date = :day AND submission.dataset = :dataset AND submission.known_from = :known_at
    AND submission.batch_id IN (SELECT sent_batch.batch_id FROM sent_batch)
    AND division.division_code IN (
        SELECT quarantine.unit_code
        FROM quality.quarantine
        WHERE quarantine.stat_date = :day AND quarantine.state = 'held'
    )
