-- A village has figures in a few cells of a month, a township or county in most.
INSERT INTO mart.unit_sum (period_id, unit_id, cells, figures)
SELECT
    %(period_id)s, scope.division_id, array_agg(cell.cell_id),
    array_agg((1 + (scope.division_id * 7 + cell.cell_id * 13) %% 40)::bigint)
FROM bench_scope AS scope
JOIN core.cell ON cell.channel_id <> 0
JOIN core.measure ON measure.measure_id = cell.measure_id AND measure.kind <> 'stock'
WHERE CASE scope.level WHEN 'village' THEN (scope.division_id * 31 + cell.cell_id * 17) %% 20 = 0 ELSE true END
GROUP BY scope.division_id
