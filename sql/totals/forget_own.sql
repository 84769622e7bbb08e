DELETE FROM mart.period_own WHERE period_id = :period_id
