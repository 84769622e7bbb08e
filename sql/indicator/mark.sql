UPDATE mart.period
SET indicated_at = clock_timestamp(), catalog_digest = :digest
WHERE period_id = :period_id
