SELECT
    forecast.division_code, forecast.division_name, forecast.measure, forecast.measure_name, forecast.unit,
    forecast.week_date, forecast.value, forecast.lower, forecast.upper, forecast.model_error, forecast.naive_error
FROM mart.forecast
WHERE forecast.starts_on = :starts_on
ORDER BY forecast.division_code, forecast.measure, forecast.week_date
