SELECT profile.* FROM mart.lateness_shown(:division_id, :dataset, :day) AS profile
