INSERT INTO mart.period_reporting (
    period_id, division_id, last_day, is_leaf, days_known, expected, received, on_time, late, reported, nil_levels
)
SELECT %(period_id)s, scope.division_id, %(day)s, scope.is_leaf, 31, 22, 21, 20, 1, 21, 62
FROM bench_scope AS scope
