-- How many days of the period were never rolled up.
SELECT :days - count(*)
FROM mart.daily_rollup
WHERE stat_date BETWEEN :first_day AND :last_day AND rolled_up_at IS NOT NULL
