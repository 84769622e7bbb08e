DELETE FROM mart.satisfaction_figure WHERE period_id = :period_id
