INSERT INTO landing.pull (run_key, platform_id, kind, stat_date, since, started_at)
SELECT :run_key, platform.platform_id, :kind, :stat_date, :since, :started_at
FROM core.platform
WHERE platform.platform = :platform
ON CONFLICT (run_key, platform_id, kind, stat_date) DO UPDATE
SET since = excluded.since, started_at = excluded.started_at, finished_at = NULL, outcome = NULL
