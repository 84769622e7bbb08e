DELETE FROM mart.daily_sum
WHERE stat_date = :day AND (:whole OR division_id IN (SELECT touched.division_id FROM touched))
