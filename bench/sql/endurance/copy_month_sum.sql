INSERT INTO quality.month_sum (unit_id, month, measure_id, value)
SELECT monthly.unit_id, monthly.month + :shift, monthly.measure_id, monthly.value
FROM quality.month_sum AS monthly
WHERE monthly.month = :first
