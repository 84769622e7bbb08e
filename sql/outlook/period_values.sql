-- The period's totals over channels; of a division without any below it, its own unit's.
SELECT total.division_id, cell.measure_id, total.value
FROM mart.period_total AS total
JOIN core.cell ON cell.cell_id = total.cell_id AND cell.channel_id = 0
WHERE total.period_id = :period_id AND total.division_id = ANY(:divisions) AND cell.measure_id = ANY(:measures)
UNION ALL
SELECT own.unit_id, cell.measure_id, sum(own.value)::bigint
FROM mart.period_own AS own
JOIN mart.period_reporting AS reporting
    ON reporting.period_id = own.period_id AND reporting.division_id = own.unit_id AND reporting.is_leaf
JOIN core.cell ON cell.cell_id = own.cell_id AND cell.channel_id <> 0
WHERE own.period_id = :period_id AND own.unit_id = ANY(:divisions) AND cell.measure_id = ANY(:measures)
GROUP BY own.unit_id, cell.measure_id
