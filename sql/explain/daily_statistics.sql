-- What a figure of mart.daily_statistics sums, as known at a moment: one row per figure of a unit, with the submission,
-- batch, file and row it came in.
SELECT
    division.division_code AS unit_code,
    below.division_name AS unit_name,
    below.level,
    channel.channel,
    figure.value,
    platform.platform,
    submission.revision,
    submission.ordinal,
    submission.received_at,
    submission.known_from,
    batch.batch_id,
    batch.source_name,
    figure.row_number,
    batch.sha256
FROM core.division_below_as_of(:division, :day, :moment) AS below
JOIN core.submission
    ON submission.stat_date = :day AND submission.unit_id = below.division_id AND submission.dataset = 'daily'
    AND submission.known_from <= :moment AND (:moment < submission.known_to OR submission.known_to = 'infinity')
CROSS JOIN LATERAL unnest(submission.cells, submission.figures, submission.row_numbers, submission.batch_ids)
    AS figure (cell_id, value, row_number, batch_id)
JOIN core.cell ON cell.cell_id = figure.cell_id
JOIN core.measure ON measure.measure_id = cell.measure_id
JOIN core.channel ON channel.channel_id = cell.channel_id
JOIN core.division ON division.division_id = submission.unit_id
JOIN core.platform ON platform.platform_id = submission.platform_id
JOIN landing.batch ON batch.batch_id = coalesce(figure.batch_id, submission.batch_id)
WHERE measure.measure = :measure AND (:channel = 'all' OR channel.channel = :channel)
ORDER BY division.division_code, channel.channel_id, platform.platform
