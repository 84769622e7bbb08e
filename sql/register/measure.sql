INSERT INTO core.measure (measure, measure_name, unit, kind, position, levels, is_required)
VALUES (:measure, :measure_name, :unit, :kind, :position, :levels, :is_required)
ON CONFLICT (measure) DO UPDATE
SET
    measure_name = excluded.measure_name, unit = excluded.unit, kind = excluded.kind, position = excluded.position,
    levels = excluded.levels, is_required = excluded.is_required
WHERE (measure.measure_name, measure.unit, measure.kind, measure.position, measure.levels, measure.is_required)
    IS DISTINCT FROM (
        excluded.measure_name, excluded.unit, excluded.kind, excluded.position, excluded.levels, excluded.is_required
    )
