DELETE FROM mart.unit_sum WHERE period_id = :period_id
