-- One batch for each platform of the day, and what was held back of it.
WITH batch AS (
    INSERT INTO landing.batch (
        platform_id, dataset, stat_date, source_name, sha256, received_at, pulled_at, state, rows_received, rows_loaded,
        rows_quarantined
    )
    SELECT
        platform.platform_id, 'daily', %(day)s, platform.platform || '.csv', repeat('0', 64), now(), now(), 'loaded',
        4200, 3900, 300
    FROM core.platform
    RETURNING batch_id
)

INSERT INTO quality.quarantine (
    batch_id, row_number, place, unit_code, stat_date, reason_code, reason, reason_en, raw
)
SELECT
    batch.batch_id, number, '第' || number || '行', (
        SELECT division.division_code FROM core.division WHERE division.division_id = 1 + (batch.batch_id * 977 + number) %% 60000
    ), %(day)s, 'value', '数值不是非负整数', 'not a count', '{"measure": "consultation", "value": "x"}'
FROM batch
CROSS JOIN generate_series(1, 300) AS number
