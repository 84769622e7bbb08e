-- The batch that each finding's submission came with; of a cell, the one that brought it.
CREATE TEMPORARY TABLE finding_batch ON COMMIT DROP AS
SELECT finding.unit_code, finding.measure, finding.channel, max(submission.batch_id) AS batch_id
FROM finding
JOIN core.division ON division.division_code = finding.unit_code
JOIN core.submission ON submission.unit_id = division.division_id
LEFT JOIN core.measure ON measure.measure = finding.measure
LEFT JOIN core.channel ON channel.channel = finding.channel
LEFT JOIN core.cell ON cell.measure_id = measure.measure_id AND cell.channel_id = channel.channel_id
WHERE submission.stat_date = :day AND submission.dataset = 'daily' AND submission.known_to = 'infinity'
    AND finding.channel IS DISTINCT FROM 'all'
    AND (cell.cell_id IS NULL OR cell.cell_id = ANY(submission.cells))
GROUP BY finding.unit_code, finding.measure, finding.channel
