-- Due and cut-off times of days that a rung may still fall on.
SELECT DISTINCT expected.dataset, expected.stat_date, expected.due_at, expected.cutoff_at
FROM core.expected_day AS expected
WHERE expected.known_to = 'infinity' AND expected.due_at <= :moment AND expected.cutoff_at > :since
    AND cardinality(expected.unit_ids) > 0
ORDER BY expected.stat_date, expected.dataset, expected.due_at, expected.cutoff_at
