INSERT INTO quality.month_sum (unit_id, month, measure_id, value)
SELECT month_figure.unit_id, :month, month_figure.measure_id, month_figure.whole
FROM month_figure
WHERE month_figure.whole > 0
