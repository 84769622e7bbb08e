DELETE FROM mart.daily_reporting
WHERE daily_reporting.stat_date = :day AND daily_reporting.division_id IN (SELECT touched.division_id FROM touched)
