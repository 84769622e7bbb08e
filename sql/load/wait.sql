-- The day waits to be rolled up and judged for the units that changed, those of which nothing could be taken among them;
-- where it waits to be judged whole, so it stays. Stocks are rolled up whole (load/finish).
INSERT INTO mart.daily_rollup (stat_date, units_waiting)
SELECT :day, coalesce(array_agg(DISTINCT verdict.unit_id), '{}')
FROM verdict
WHERE verdict.verdict IN ('accepted', 'rejected')
HAVING CAST(:dataset AS text) = 'daily'
ON CONFLICT (stat_date) DO UPDATE SET
    units_waiting = daily_rollup.units_waiting || excluded.units_waiting,
    units_unjudged = daily_rollup.units_unjudged || excluded.units_waiting
