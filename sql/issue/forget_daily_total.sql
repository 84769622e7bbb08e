DELETE FROM mart.daily_sum WHERE stat_date = :day
