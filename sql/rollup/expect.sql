-- What each unit owes and by when, kept as known from now on where it differs from what was known.
-- Few different debts are owed by all units: they are sorted debt by debt, not by what they owe.
WITH alike AS (
    SELECT touched.owed, touched.due_at, touched.cutoff_at, array_agg(touched.division_id) AS unit_ids
    FROM touched
    WHERE touched.owed IS NOT NULL
    GROUP BY touched.owed, touched.due_at, touched.cutoff_at
),

wanted AS (
    SELECT
        alike.owed AS platform_ids,
        alike.due_at,
        alike.cutoff_at,
        ARRAY(SELECT unnest(alike.unit_ids) AS unit_id ORDER BY unit_id) AS unit_ids
    FROM alike
),

closed AS (
    UPDATE core.expected_day AS known
    SET known_to = :moment
    WHERE known.stat_date = :day AND known.dataset = :dataset AND known.known_to = 'infinity'
        AND NOT EXISTS (
            SELECT FROM wanted
            WHERE (wanted.platform_ids, wanted.due_at, wanted.cutoff_at, wanted.unit_ids)
                IS NOT DISTINCT FROM (known.platform_ids, known.due_at, known.cutoff_at, known.unit_ids)
        )
)

INSERT INTO core.expected_day (stat_date, dataset, platform_ids, due_at, cutoff_at, known_from, unit_ids)
SELECT :day, :dataset, wanted.platform_ids, wanted.due_at, wanted.cutoff_at, :moment, wanted.unit_ids
FROM wanted
WHERE NOT EXISTS (
    SELECT FROM core.expected_day AS known
    WHERE known.stat_date = :day AND known.dataset = :dataset AND known.known_to = 'infinity'
        AND (known.platform_ids, known.due_at, known.cutoff_at, known.unit_ids)
            IS NOT DISTINCT FROM (wanted.platform_ids, wanted.due_at, wanted.cutoff_at, wanted.unit_ids)
)
