DELETE FROM mart.period_reporting WHERE period_id = :period_id
