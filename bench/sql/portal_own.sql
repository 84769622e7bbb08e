-- A village has figures in a few cells of a period, a township or county in a third. Survey cells come together and agree:
-- ten answers for every very satisfied six.
INSERT INTO mart.unit_sum (period_id, unit_id, cells, figures)
WITH cell AS MATERIALIZED (
    SELECT
        cell.cell_id, cell.channel_id, measure.kind IN ('survey', 'carried') AS is_survey,
        CASE measure.measure
            WHEN 'survey_asked' THEN 20 WHEN 'survey_answered' THEN 10 WHEN 'aware' THEN 8 WHEN 'first_choice' THEN 5
            WHEN 'very_satisfied' THEN 6 WHEN 'satisfied' THEN 3 WHEN 'basically_satisfied' THEN 1
            WHEN 'answered_on_aware' THEN 10 WHEN 'answered_on_first_choice' THEN 10 ELSE 0
        END AS times
    FROM core.cell
    JOIN core.measure ON measure.measure_id = cell.measure_id AND measure.kind <> 'stock'
    WHERE cell.channel_id <> 0
)

SELECT
    %(period_id)s, scope.division_id, array_agg(cell.cell_id),
    array_agg((CASE
        WHEN cell.is_survey THEN cell.times * (1 + scope.division_id %% 3)
        ELSE 1 + (scope.division_id * 7 + cell.cell_id * 13 + %(period_id)s * 11) %% 40
    END)::bigint)
FROM bench_scope AS scope
CROSS JOIN cell
WHERE CASE
    WHEN scope.level = 'village' AND cell.is_survey THEN (scope.division_id * 31 + cell.channel_id * 17) %% 60 = 0
    WHEN scope.level = 'village' THEN (scope.division_id * 31 + cell.cell_id * 17) %% 40 = 0
    WHEN cell.is_survey THEN (scope.division_id + cell.channel_id) %% 2 = 0
    ELSE (scope.division_id * 31 + cell.cell_id * 17) %% 3 = 0
END
GROUP BY scope.division_id
