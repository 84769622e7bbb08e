UPDATE mart.period SET indicated_at = clock_timestamp() WHERE period_id = :period_id
