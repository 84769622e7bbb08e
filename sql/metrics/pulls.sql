-- Pulls that ended, by family and outcome, and the seconds that they took.
SELECT
    platform.family,
    coalesce(pull.outcome, 'done') AS outcome,
    count(*) AS pulls,
    sum(extract(epoch FROM pull.finished_at - pull.started_at))::float8 AS seconds
FROM landing.pull
JOIN core.platform USING (platform_id)
WHERE pull.finished_at IS NOT NULL
GROUP BY platform.family, pull.outcome
