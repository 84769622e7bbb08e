DELETE FROM mart.stock_total WHERE stat_date = :day
