-- A longer period: the totals of its months. Of a division that had others below it in some months only, its own figures
-- of the other months count too.
INSERT INTO mart.period_sum (period_id, division_id, cells, figures)
WITH alone AS MATERIALIZED (
    SELECT monthly.period_id, monthly.division_id
    FROM mart.period_reporting AS monthly
    JOIN mart.period_reporting AS reporting
        ON reporting.period_id = :period_id AND reporting.division_id = monthly.division_id
        AND NOT reporting.is_leaf
    WHERE monthly.period_id = ANY(:months) AND monthly.is_leaf
),

own AS (
    SELECT monthly.unit_id AS division_id, monthly.cell_id, monthly.value
    FROM mart.period_own AS monthly
    JOIN alone ON alone.period_id = monthly.period_id AND alone.division_id = monthly.unit_id
    WHERE monthly.period_id = ANY(:months)
),

figure AS (
    SELECT monthly.division_id, unnest(monthly.cells) AS cell_id, unnest(monthly.figures) AS value
    FROM mart.period_sum AS monthly
    WHERE monthly.period_id = ANY(:months)
    UNION ALL
    SELECT own.division_id, own.cell_id, own.value
    FROM own
    UNION ALL
    SELECT own.division_id, all_cell.cell_id, own.value
    FROM own
    JOIN core.cell ON cell.cell_id = own.cell_id
    JOIN core.cell AS all_cell ON all_cell.measure_id = cell.measure_id AND all_cell.channel_id = 0
),

summed AS (
    SELECT figure.division_id, figure.cell_id, sum(figure.value)::bigint AS value
    FROM figure
    GROUP BY figure.division_id, figure.cell_id
)

SELECT
    :period_id,
    summed.division_id,
    array_agg(summed.cell_id ORDER BY summed.cell_id),
    array_agg(summed.value ORDER BY summed.cell_id)
FROM summed
GROUP BY summed.division_id
