DELETE FROM mart.period_sum WHERE period_id = :period_id
