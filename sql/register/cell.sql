INSERT INTO core.cell (measure_id, channel_id)
SELECT measure.measure_id, channel.channel_id
FROM core.measure
JOIN core.channel ON channel.channel = :channel
WHERE measure.measure = :measure
ON CONFLICT DO NOTHING
