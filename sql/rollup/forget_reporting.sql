DELETE FROM mart.daily_reporting
USING touched
WHERE daily_reporting.stat_date = :day AND daily_reporting.division_id = touched.division_id
