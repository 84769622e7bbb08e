-- Totals of a period that differ from those summed anew in this transaction; first what was shown, then what is right.
SELECT division.division_code, measure.measure, channel.channel, shown.value AS shown, anew.value AS anew
FROM shown
FULL JOIN (
    SELECT total.division_id, total.cell_id, total.value
    FROM mart.period_total AS total
    WHERE total.period_id = :period_id
    UNION ALL
    SELECT own.unit_id, own.cell_id, own.value
    FROM mart.period_own AS own
    JOIN mart.period_reporting AS reporting
        ON reporting.period_id = own.period_id AND reporting.division_id = own.unit_id AND reporting.is_leaf
    WHERE own.period_id = :period_id
) AS anew ON anew.division_id = shown.division_id AND anew.cell_id = shown.cell_id
JOIN core.division ON division.division_id = coalesce(shown.division_id, anew.division_id)
JOIN core.cell ON cell.cell_id = coalesce(shown.cell_id, anew.cell_id)
JOIN core.measure USING (measure_id)
JOIN core.channel USING (channel_id)
WHERE shown.value IS DISTINCT FROM anew.value
ORDER BY 1, 2, 3
LIMIT 100
