INSERT INTO mart.stock_reporting (stat_date, division_id, level, is_leaf, is_expected, is_reported, is_nil)
SELECT %(day)s, scope.division_id, scope.level, scope.is_leaf, scope.level IN ('township', 'village'), true, false
FROM bench_scope AS scope
