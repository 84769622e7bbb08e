UPDATE mart.period SET satisfied_at = clock_timestamp() WHERE period_id = :period_id
