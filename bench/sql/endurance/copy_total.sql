INSERT INTO mart.daily_sum (stat_date, division_id, cells, figures)
SELECT total.stat_date + :shift, total.division_id, total.cells, total.figures
FROM mart.daily_sum AS total
WHERE total.stat_date BETWEEN :first AND :last
