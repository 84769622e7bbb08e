DELETE FROM mart.daily_sum
WHERE daily_sum.stat_date = :day
