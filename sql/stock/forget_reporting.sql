DELETE FROM mart.stock_reporting WHERE stat_date = :day
