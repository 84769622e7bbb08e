-- Closed months that a list valid from a day would change.
SELECT to_char(closed_month.month, 'YYYY-MM')
FROM core.closed_month
WHERE closed_month.month + interval '1 month' > CAST(:valid_from AS date)
ORDER BY closed_month.month
