-- Divisions with others below them have every stock.
INSERT INTO mart.stock_total (stat_date, division_id, cell_id, value, units_expected, units_reported)
SELECT %(day)s, scope.division_id, cell.cell_id, 1000 + (scope.division_id + cell.cell_id) %% 500, 30, 30
FROM bench_scope AS scope
CROSS JOIN core.cell
JOIN core.measure ON measure.measure_id = cell.measure_id AND measure.kind = 'stock'
WHERE NOT scope.is_leaf
