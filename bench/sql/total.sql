-- Every division with others below it has figures in every cell, totals over channels included.
INSERT INTO mart.period_total (period_id, division_id, cell_id, value)
SELECT %(period_id)s, scope.division_id, cell.cell_id, 100 + (scope.division_id * 7 + cell.cell_id * 13) %% 900
FROM bench_scope AS scope
CROSS JOIN core.cell
JOIN core.measure ON measure.measure_id = cell.measure_id AND measure.kind <> 'stock'
WHERE NOT scope.is_leaf
