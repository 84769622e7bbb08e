-- Totals of a period that differ from those summed anew in this transaction; first what was shown, then what is right.
SELECT division.division_code, measure.measure, channel.channel, shown.value AS shown, anew.value AS anew
FROM shown
FULL JOIN mart.period_figure_of(:period_id) AS anew
    ON anew.division_id = shown.division_id AND anew.cell_id = shown.cell_id
JOIN core.division ON division.division_id = coalesce(shown.division_id, anew.division_id)
JOIN core.cell ON cell.cell_id = coalesce(shown.cell_id, anew.cell_id)
JOIN core.measure USING (measure_id)
JOIN core.channel USING (channel_id)
WHERE shown.value IS DISTINCT FROM anew.value
ORDER BY 1, 2, 3
LIMIT 100
