-- Every division with others below it has figures in every cell, totals over channels included.
INSERT INTO mart.period_sum (period_id, division_id, cells, figures)
SELECT
    %(period_id)s, scope.division_id, array_agg(cell.cell_id),
    array_agg((100 + (scope.division_id * 7 + cell.cell_id * 13) %% 900)::bigint)
FROM bench_scope AS scope
CROSS JOIN core.cell
JOIN core.measure ON measure.measure_id = cell.measure_id AND measure.kind <> 'stock'
WHERE NOT scope.is_leaf
GROUP BY scope.division_id
