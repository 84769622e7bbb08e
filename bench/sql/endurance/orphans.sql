-- Submissions of a month whose batch or unit is not there: what the foreign keys would have refused.
SELECT count(*)
FROM core.submission
WHERE submission.stat_date BETWEEN :first AND :last
    AND (
        submission.batch_id NOT IN (SELECT batch.batch_id FROM landing.batch)
        OR submission.unit_id NOT IN (SELECT division.division_id FROM core.division)
    )
