-- A longer period: each unit's own figures, from its months.
INSERT INTO mart.unit_sum (period_id, unit_id, cells, figures)
WITH figure AS (
    SELECT monthly.unit_id, unnest(monthly.cells) AS cell_id, unnest(monthly.figures) AS value
    FROM mart.unit_sum AS monthly
    WHERE monthly.period_id = ANY(:months)
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
