INSERT INTO mart.stock_reporting (stat_date, division_id, is_leaf, is_expected, is_reported, is_nil, lacking)
SELECT %(day)s, scope.division_id, scope.is_leaf, scope.level IN ('township', 'village'), true, false, '{}'
FROM bench_scope AS scope
