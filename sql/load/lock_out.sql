-- The month is closed: every figure that came waits in the quarantine until it is reopened, and so does, named by a
-- flag, what has no rows: nil reports and withdrawals.
WITH waiting AS (
    SELECT staged.*, batch.platform_id
    FROM landing.staged_submission AS staged
    JOIN landing.batch USING (batch_id)
    WHERE batch.stat_date = :day AND batch.dataset = :dataset AND batch.state = 'gated'
),

held AS (
    INSERT INTO quality.quarantine
        (batch_id, row_number, place, unit_code, stat_date, received_at, reason_code, reason, reason_en, raw)
    SELECT
        waiting.batch_id,
        figure.row_number,
        '',
        division.division_code,
        :day,
        waiting.received_at,
        'period_locked',
        format('%s 月已封账，重新开账后入库', to_char(CAST(:day AS date), 'YYYY-MM')),
        format('%s is closed: loaded once it is reopened', to_char(CAST(:day AS date), 'YYYY-MM')),
        jsonb_build_object(
            'unit', division.division_code, 'date', CAST(:day AS date), 'channel', channel.channel,
            'measure', measure.measure, 'value', figure.value, 'revision', waiting.revision
        )
    FROM waiting
    CROSS JOIN LATERAL unnest(waiting.cells, waiting.figures, waiting.row_numbers)
        AS figure (cell_id, value, row_number)
    JOIN core.division ON division.division_id = waiting.unit_id
    JOIN core.cell ON cell.cell_id = figure.cell_id
    JOIN core.measure ON measure.measure_id = cell.measure_id
    JOIN core.channel ON channel.channel_id = cell.channel_id
    RETURNING batch_id
),

flagged AS (
    INSERT INTO quality.flag (batch_id, unit_code, stat_date, check_code, message)
    SELECT
        batch.batch_id, NULL, :day, 'period_locked',
        format('%s 月已封账：本批报送整份等待重新开账', to_char(CAST(:day AS date), 'YYYY-MM'))
    FROM landing.batch
    WHERE batch.stat_date = :day AND batch.dataset = :dataset AND batch.state = 'gated'
    ON CONFLICT DO NOTHING
)

UPDATE landing.batch
SET rows_quarantined = batch.rows_quarantined + counted.rows
FROM (SELECT held.batch_id, count(*) AS rows FROM held GROUP BY held.batch_id) AS counted
WHERE batch.batch_id = counted.batch_id
