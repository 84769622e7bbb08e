-- A day of the province: nine of ten units have sent a report, most of them late enough to matter; a village's is nil or
-- holds two figures.
INSERT INTO core.submission (
    stat_date, unit_id, platform_id, batch_id, dataset, revision, received_at, known_from, is_nil, cells, figures, row_numbers
)
SELECT
    %(day)s, scope.division_id, batch.platform_id, batch.batch_id, 'daily', 1,
    (%(day)s::date + time '15:00' + (scope.division_id %% 400) * interval '1 minute') AT TIME ZONE 'Asia/Shanghai',
    (%(day)s::date + time '22:00') AT TIME ZONE 'Asia/Shanghai',
    scope.level = 'village' AND scope.division_id %% 3 > 0,
    CASE
        WHEN scope.level <> 'village' THEN owed.many
        WHEN scope.division_id %% 3 = 0 THEN owed.few
    END,
    CASE
        WHEN scope.level <> 'village' THEN owed.many_values
        WHEN scope.division_id %% 3 = 0 THEN ARRAY[1, 2]
    END,
    CASE
        WHEN scope.level <> 'village' THEN owed.many
        WHEN scope.division_id %% 3 = 0 THEN owed.few
    END
FROM bench_scope AS scope
CROSS JOIN (
    SELECT batch.batch_id, batch.platform_id
    FROM landing.batch
    WHERE batch.stat_date = %(day)s AND batch.dataset = 'daily'
    ORDER BY batch.batch_id
    LIMIT 1
) AS batch
CROSS JOIN (
    SELECT
        (array_agg(cell.cell_id ORDER BY cell.cell_id))[1:2] AS few,
        array_agg(cell.cell_id ORDER BY cell.cell_id) AS many,
        array_agg(5 + cell.cell_id::bigint ORDER BY cell.cell_id) AS many_values
    FROM core.cell
    JOIN core.measure ON measure.measure_id = cell.measure_id AND measure.kind = 'flow'
    WHERE cell.channel_id <> 0
) AS owed
WHERE scope.level IN ('county', 'township', 'village') AND scope.division_id %% 10 > 0
