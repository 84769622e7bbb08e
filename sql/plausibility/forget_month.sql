DELETE FROM quality.month_sum
USING asked
WHERE month_sum.unit_id = asked.unit_id AND month_sum.month = :month
