SELECT measure.measure, channel.channel, cell.cell_id
FROM core.cell
JOIN core.measure USING (measure_id)
JOIN core.channel USING (channel_id)
