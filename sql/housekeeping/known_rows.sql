-- What the warehouse knows of the rows of a batch: the figures of the platform's submissions of the day, in any revision,
-- and the numbers of the batch's own rows that went to the quarantine.
SELECT division.division_code AS unit, measure.measure, channel.channel, figure.value, NULL::integer AS row_number
FROM core.submission
JOIN core.platform USING (platform_id)
JOIN core.division ON division.division_id = submission.unit_id
CROSS JOIN LATERAL unnest(submission.cells, submission.figures) AS figure (cell_id, value)
JOIN core.cell ON cell.cell_id = figure.cell_id
JOIN core.measure USING (measure_id)
JOIN core.channel USING (channel_id)
WHERE submission.stat_date = :day AND platform.platform = :platform
UNION
SELECT NULL, NULL, NULL, NULL, quarantine.row_number
FROM quality.quarantine
WHERE quarantine.batch_id = :batch_id
