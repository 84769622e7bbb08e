-- Who was expected, kept as known from now on where it differs from what was known.
WITH wanted AS (
    SELECT coalesce(array_agg(touched.division_id ORDER BY touched.division_id), '{}') AS unit_ids
    FROM touched
    WHERE touched.is_expected
),

closed AS (
    UPDATE core.expected_unit
    SET known_to = :moment
    FROM wanted
    WHERE expected_unit.dataset = :dataset AND expected_unit.stat_date = :day
        AND expected_unit.known_to = 'infinity' AND expected_unit.unit_ids <> wanted.unit_ids
)

INSERT INTO core.expected_unit (dataset, stat_date, known_from, unit_ids)
SELECT :dataset, :day, :moment, wanted.unit_ids
FROM wanted
WHERE NOT EXISTS (
    SELECT FROM core.expected_unit AS known
    WHERE known.dataset = :dataset AND known.stat_date = :day AND known.known_to = 'infinity' AND known.unit_ids = wanted.unit_ids
)
