-- A revision that is replaced stays, with the time until which it was known as the current one.
UPDATE core.submission
SET known_to = :known_at
FROM verdict
WHERE submission.stat_date = :day AND submission.dataset = :dataset AND submission.unit_id = verdict.unit_id
    AND submission.submission_id = verdict.head_id AND verdict.verdict = 'accepted'
