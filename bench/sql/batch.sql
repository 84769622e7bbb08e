-- The batch that the months' stocks are said to have come in.
INSERT INTO landing.batch (platform_id, dataset, stat_date, source_name, sha256, pulled_at, state)
SELECT min(platform_id), 'stocks', '2026-03-31', 'months', repeat('0', 64), now(), 'loaded' FROM core.platform
