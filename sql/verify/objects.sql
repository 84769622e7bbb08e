-- Every object that the archive must hold, with the first batch that named it; not those whose time is over.
SELECT batch.sha256, min(batch.part_sizes) AS part_sizes, min(batch.batch_id) AS batch_id, min(batch.source_name) AS source_name
FROM landing.batch
WHERE batch.sha256 IS NOT NULL
    AND NOT EXISTS (SELECT FROM landing.dropped_object AS dropped WHERE dropped.sha256 = batch.sha256)
    AND (CAST(:day AS date) IS NULL OR batch.stat_date = :day)
GROUP BY batch.sha256
ORDER BY min(batch.batch_id)
