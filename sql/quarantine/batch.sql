-- A batch as it was received, with the names of the files that its platform delivered for the day.
SELECT
    platform.platform, batch.dataset, batch.stat_date, batch.source_name, batch.sha256, batch.part_sizes, batch.received_at, batch.state,
    batch.message,
    ARRAY(
        SELECT sibling.source_name
        FROM landing.batch AS sibling
        WHERE sibling.platform_id = batch.platform_id AND sibling.stat_date = batch.stat_date
            AND sibling.dataset = batch.dataset
    ) AS names
FROM landing.batch
JOIN core.platform USING (platform_id)
WHERE batch.batch_id = :batch_id
