DELETE FROM mart.period_estimate WHERE period_id = :period_id
