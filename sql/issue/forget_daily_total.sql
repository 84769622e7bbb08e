DELETE FROM mart.daily_total WHERE stat_date = :day
