-- Platforms that this run has done with: a retry takes only the others, and still names those that were rejected.
SELECT platform.platform, pull.outcome, pull.message
FROM landing.pull
JOIN core.platform USING (platform_id)
WHERE pull.run_key = :run_key AND pull.kind = :kind AND pull.stat_date IS NOT DISTINCT FROM :stat_date
    AND pull.outcome IN ('done', 'rejected')
