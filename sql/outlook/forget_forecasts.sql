DELETE FROM mart.forecast_measured WHERE starts_on = :starts_on
