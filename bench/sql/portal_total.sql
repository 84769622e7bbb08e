-- What divisions with others below them have in a period: in half of the cells, and in all of the survey's.
INSERT INTO mart.period_sum (period_id, division_id, cells, figures)
SELECT
    %(period_id)s, scope.division_id, array_agg(cell.cell_id),
    array_agg((CASE
        WHEN measure.kind IN ('survey', 'carried') THEN
            (1 + scope.division_id %% 40) * CASE channel_id WHEN 0 THEN 3 ELSE 1 END
            * CASE measure.measure
                WHEN 'survey_asked' THEN 20 WHEN 'survey_answered' THEN 10 WHEN 'aware' THEN 8 WHEN 'first_choice' THEN 5
                WHEN 'very_satisfied' THEN 6 WHEN 'satisfied' THEN 3 WHEN 'basically_satisfied' THEN 1
                WHEN 'answered_on_aware' THEN 10 WHEN 'answered_on_first_choice' THEN 10 ELSE 0
            END
        ELSE 100 + (scope.division_id * 7 + cell.cell_id * 13 + %(period_id)s * 11) %% 900
    END)::bigint)
FROM bench_scope AS scope
CROSS JOIN core.cell
JOIN core.measure ON measure.measure_id = cell.measure_id AND measure.kind <> 'stock'
WHERE NOT scope.is_leaf
    AND (measure.kind IN ('survey', 'carried') OR (scope.division_id + cell.measure_id) %% 2 = 0 OR scope.level <> 'township')
GROUP BY scope.division_id
