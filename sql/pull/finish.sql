UPDATE landing.pull
SET finished_at = :finished_at, outcome = :outcome, message = :message, ignored = :ignored
FROM core.platform
WHERE platform.platform = :platform AND pull.platform_id = platform.platform_id AND pull.run_key = :run_key
    AND pull.kind = :kind AND pull.stat_date IS NOT DISTINCT FROM :stat_date
