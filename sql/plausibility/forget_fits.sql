-- Restatements of days long before the newest one are rare, and judged whole.
DELETE FROM quality.day_fit
WHERE stat_date < (SELECT max(newest.stat_date) FROM quality.day_fit AS newest) - CAST(:kept_days AS integer)
