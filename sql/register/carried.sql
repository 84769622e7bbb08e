INSERT INTO core.carried_measure (measure_id, sums_id, carrying_id)
SELECT carried.measure_id, sums.measure_id, carrying.measure_id
FROM core.measure AS carried
JOIN core.measure AS sums ON sums.measure = :sums
JOIN core.measure AS carrying ON carrying.measure = :carrying
WHERE carried.measure = :measure
ON CONFLICT (measure_id) DO UPDATE SET sums_id = excluded.sums_id, carrying_id = excluded.carrying_id
