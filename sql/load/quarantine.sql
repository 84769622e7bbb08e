INSERT INTO quality.quarantine
    (batch_id, row_number, place, unit_code, stat_date, received_at, reason_code, reason, reason_en, raw)
SELECT
    contested.batch_id,
    contested.row_number,
    '',
    division.division_code,
    :day,
    contested.received_at,
    'conflict',
    CASE contested.cause
        WHEN 'revision' THEN format(
            '同一版次再次报送但内容不同：%s（%s）已入库 %s，本次为 %s；已入库的保留',
            measure.measure_name, channel.channel_name, coalesce(contested.other_value::text, '无'), contested.value
        )
        ELSE format(
            '平台 %s 已报送同一单位的%s（%s）：%s，本平台为 %s；先到的保留',
            contested.other_platform, measure.measure_name, channel.channel_name, contested.other_value, contested.value
        )
    END,
    CASE contested.cause
        WHEN 'revision' THEN format(
            'the same revision came again with other content: loaded %s, now %s',
            coalesce(contested.other_value::text, 'nothing'), contested.value
        )
        ELSE format(
            'platform %s delivers this figure too: %s, here %s',
            contested.other_platform, contested.other_value, contested.value
        )
    END,
    jsonb_build_object(
        'unit', division.division_code, 'date', :day, 'channel', channel.channel, 'measure', measure.measure,
        'value', contested.value, 'revision', contested.revision
    )
FROM contested
JOIN core.division ON division.division_id = contested.unit_id
JOIN core.cell ON cell.cell_id = contested.cell_id
JOIN core.measure ON measure.measure_id = cell.measure_id
JOIN core.channel ON channel.channel_id = cell.channel_id
WHERE contested.outcome = 'conflict';
