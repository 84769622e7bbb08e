-- A longer period: each unit's own figures, from its months.
INSERT INTO mart.period_own (period_id, unit_id, cell_id, value)
SELECT :period_id, monthly.unit_id, monthly.cell_id, sum(monthly.value)::bigint
FROM mart.period_own AS monthly
WHERE monthly.period_id = ANY(:months)
GROUP BY monthly.unit_id, monthly.cell_id
