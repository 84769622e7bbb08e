-- A division's figure of one day.
SELECT part.value
FROM mart.figure_days_shown(:day, :day, :division_id, :measure, :channel) AS part
