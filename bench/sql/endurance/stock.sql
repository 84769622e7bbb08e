-- What every unit keeps at the month's end: the stocks of its level.
INSERT INTO core.submission (
    stat_date, unit_id, platform_id, batch_id, dataset, revision, received_at, known_from, is_nil, cells, figures, row_numbers
)
SELECT
    :last,
    period.division_id,
    batch.platform_id,
    batch.batch_id,
    'stocks',
    1,
    batch.received_at,
    batch.pulled_at,
    false,
    owed.cells,
    ARRAY(SELECT 1 + (period.division_id + cell) % owed.most FROM unnest(owed.cells) AS cell),
    owed.cells
FROM core.division_period AS period
JOIN core.division USING (division_id)
JOIN core.platform
    ON left(platform.area[1], 4) = left(division.division_code, 4) AND 'stocks' = ANY(platform.datasets)
JOIN landing.batch ON batch.platform_id = platform.platform_id AND batch.stat_date = :last
JOIN (
    SELECT
        level.level,
        array_agg(cell.cell_id::integer ORDER BY cell.cell_id) AS cells,
        CASE level.level WHEN 'village' THEN 1 WHEN 'township' THEN 30000 ELSE 300 END::bigint AS most
    FROM core.measure
    JOIN core.cell USING (measure_id)
    CROSS JOIN unnest(measure.levels) AS level (level)
    WHERE measure.kind = 'stock'
    GROUP BY level.level
) AS owed ON owed.level = period.level
WHERE period.level IN ('county', 'township', 'village')
    AND period.valid_from <= :last AND :last < period.valid_to
