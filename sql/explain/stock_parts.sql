-- What a stock of mart.stock_figure sums: one row per figure of a unit, of the month itself or carried forward from an
-- earlier one (stat_date), with the submission, batch, file and row it came in.
SELECT
    division.division_code AS unit_code,
    below.division_name AS unit_name,
    below.level,
    'all' AS channel,
    count.stat_date,
    count.value,
    platform.platform,
    submission.revision,
    submission.ordinal,
    submission.received_at,
    submission.known_from,
    batch.batch_id,
    batch.source_name,
    count.row_number,
    batch.sha256
FROM core.measure
JOIN core.cell ON cell.measure_id = measure.measure_id AND cell.channel_id = 0
CROSS JOIN core.division_below_as_of(:division, :day, 'infinity') AS below
LEFT JOIN mart.stock_carried AS carried
    ON carried.stat_date = :day AND carried.unit_id = below.division_id AND carried.cell_id = cell.cell_id
JOIN core.stock_count AS count
    ON count.stat_date = coalesce(carried.carried_from, :day) AND count.unit_id = below.division_id
    AND count.cell_id = cell.cell_id
JOIN core.submission
    ON submission.stat_date = count.stat_date AND submission.unit_id = count.unit_id
    AND submission.submission_id = count.submission_id
JOIN core.division ON division.division_id = below.division_id
JOIN core.platform ON platform.platform_id = submission.platform_id
JOIN landing.batch ON batch.batch_id = count.batch_id
WHERE measure.measure = :measure
ORDER BY division.division_code, platform.platform
