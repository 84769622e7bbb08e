SELECT count(*)
FROM landing.staged_submission AS staged
JOIN landing.batch USING (batch_id)
WHERE batch.stat_date = :day AND batch.dataset = :dataset AND batch.state = 'gated'
