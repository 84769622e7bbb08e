DELETE FROM mart.indicator_figure WHERE period_id = :period_id
