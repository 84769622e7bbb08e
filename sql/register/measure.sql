INSERT INTO core.measure (measure, measure_name, unit, kind, levels, position)
VALUES (:measure, :measure_name, :unit, :kind, :levels, :position)
ON CONFLICT (measure) DO UPDATE
SET
    measure_name = excluded.measure_name, unit = excluded.unit, kind = excluded.kind, levels = excluded.levels,
    position = excluded.position
WHERE (measure.measure_name, measure.unit, measure.kind, measure.levels, measure.position)
    IS DISTINCT FROM (excluded.measure_name, excluded.unit, excluded.kind, excluded.levels, excluded.position)
