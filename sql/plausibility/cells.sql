SELECT
    cell.cell_id,
    measure.measure,
    measure.measure_name,
    measure.unit,
    measure.kind,
    channel.channel,
    channel.channel_name
FROM core.cell
JOIN core.measure USING (measure_id)
JOIN core.channel USING (channel_id)
WHERE measure.kind <> 'carried'
ORDER BY cell.cell_id
