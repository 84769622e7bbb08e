-- Divisions with others below them have every stock; villages those that they report.
INSERT INTO mart.stock_figure (stat_date, division_id, cell_id, value, units_expected, units_reported)
SELECT %(day)s, scope.division_id, cell.cell_id, 1000 + (scope.division_id + cell.cell_id) %% 500, 30, 30
FROM bench_scope AS scope
CROSS JOIN core.cell
JOIN core.measure ON measure.measure_id = cell.measure_id AND measure.kind = 'stock'
WHERE NOT scope.is_leaf
UNION ALL
SELECT %(day)s, submission.unit_id, unnest(submission.cells), 1, 1, 1
FROM core.submission
JOIN bench_scope AS scope ON scope.division_id = submission.unit_id AND scope.is_leaf
WHERE submission.stat_date = %(day)s AND submission.dataset = 'stocks'
