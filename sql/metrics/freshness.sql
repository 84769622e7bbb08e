-- The newest day that the marts show, when they were last written, and days that wait to be.
SELECT
    max(rollup.stat_date) FILTER (WHERE rollup.rolled_up_at IS NOT NULL) AS newest_day,
    extract(epoch FROM max(rollup.rolled_up_at))::float8 AS rolled_up_at,
    count(*) FILTER (WHERE rollup.rolled_up_at IS NULL OR rollup.rolled_up_at < rollup.loaded_at) AS days_waiting
FROM mart.daily_rollup AS rollup
