DELETE FROM mart.daily_reporting WHERE stat_date = :day
