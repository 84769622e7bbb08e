DELETE FROM mart.period_total WHERE period_id = :period_id
