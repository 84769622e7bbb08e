-- A month: what each unit's submissions say, of days that are rolled up and on which the unit was there; and what they
-- carry (ruling 18). Arrays are unnested in the select list: as functions of a FROM they cost three times as much.
INSERT INTO mart.unit_sum (period_id, unit_id, cells, figures)
WITH sent AS MATERIALIZED (
    SELECT submission.unit_id, submission.cells, submission.figures
    FROM core.submission
    JOIN core.division_period AS period
        ON period.division_id = submission.unit_id
        AND period.valid_from <= submission.stat_date AND submission.stat_date < period.valid_to
    WHERE submission.stat_date BETWEEN :first AND :last AND submission.dataset = 'daily'
        AND submission.known_to = 'infinity' AND submission.cells IS NOT NULL
        AND submission.stat_date IN (
            SELECT rollup.stat_date FROM mart.daily_rollup AS rollup WHERE rollup.rolled_up_at IS NOT NULL
        )
),

figure AS (
    SELECT sent.unit_id, unnest(sent.cells) AS cell_id, unnest(sent.figures) AS value
    FROM sent
    UNION ALL
    SELECT sent.unit_id, carried.cell_id, sent.figures[array_position(sent.cells, carried.sums_cell_id)]
    FROM sent
    JOIN core.carried_cell AS carried ON sent.cells @> ARRAY[carried.sums_cell_id, carried.carrying_cell_id]
    WHERE sent.cells && (SELECT array_agg(carried_cell.carrying_cell_id) FROM core.carried_cell)
),

summed AS (
    SELECT figure.unit_id, figure.cell_id, sum(figure.value)::bigint AS value
    FROM figure
    GROUP BY figure.unit_id, figure.cell_id
)

SELECT
    :period_id,
    summed.unit_id,
    array_agg(summed.cell_id ORDER BY summed.cell_id),
    array_agg(summed.value ORDER BY summed.cell_id)
FROM summed
GROUP BY summed.unit_id
