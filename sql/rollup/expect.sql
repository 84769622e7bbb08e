-- Who was expected, kept as known from now on where it differs from what was known.
WITH wanted AS (
    SELECT coalesce(array_agg(touched.division_id ORDER BY touched.division_id), '{}') AS unit_ids
    FROM touched
    WHERE touched.is_expected
),

closed AS (
    UPDATE core.expected_day
    SET known_to = :moment
    FROM wanted
    WHERE expected_day.dataset = :dataset AND expected_day.stat_date = :day
        AND expected_day.known_to = 'infinity' AND expected_day.unit_ids <> wanted.unit_ids
)

INSERT INTO core.expected_day (stat_date, dataset, known_from, unit_ids)
SELECT :day, :dataset, :moment, wanted.unit_ids
FROM wanted
WHERE NOT EXISTS (
    SELECT FROM core.expected_day AS known
    WHERE known.dataset = :dataset AND known.stat_date = :day
        AND known.known_to = 'infinity' AND known.unit_ids = wanted.unit_ids
)
