UPDATE mart.stock_rollup SET rolled_up_at = NULL WHERE stat_date = :day
