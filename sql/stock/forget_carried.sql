DELETE FROM mart.stock_carried WHERE stat_date = :day
