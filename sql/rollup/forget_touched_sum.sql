DELETE FROM mart.daily_sum
WHERE daily_sum.stat_date = :day AND daily_sum.division_id IN (SELECT touched.division_id FROM touched)
