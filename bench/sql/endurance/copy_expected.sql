INSERT INTO core.expected_day (stat_date, dataset, platform_ids, due_at, cutoff_at, known_from, unit_ids)
SELECT
    known.stat_date + :shift, known.dataset, known.platform_ids, known.due_at + make_interval(days => :shift),
    known.cutoff_at + make_interval(days => :shift), known.known_from, known.unit_ids
FROM core.expected_day AS known
WHERE known.stat_date BETWEEN :first AND :last AND known.dataset = :dataset AND known.known_to = 'infinity'
