DELETE FROM mart.daily_reporting
WHERE daily_reporting.stat_date = :day
