-- Files of a platform that are in the ledger, by name, size and receipt stamp: they need no second transfer.
SELECT batch.source_name, (SELECT sum(size) FROM unnest(batch.part_sizes) AS size)::bigint AS size, batch.received_at
FROM landing.batch
JOIN core.platform ON platform.platform_id = batch.platform_id
WHERE platform.platform = :platform AND batch.state = 'loaded' AND batch.received_at IS NOT NULL
