DELETE FROM mart.daily_total
USING touched
WHERE daily_total.stat_date = :day AND daily_total.division_id = touched.division_id
