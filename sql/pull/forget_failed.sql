-- What a platform received since a time was asked for in vain before, and is answered now: those failures are over.
DELETE FROM landing.batch
USING core.platform
WHERE platform.platform = :platform AND batch.platform_id = platform.platform_id
    AND batch.state = 'failed' AND batch.source_name LIKE 'submissions-since-%'
