-- One level: a division's figure is what units send it plus the totals of the divisions directly below it.
INSERT INTO mart.daily_sum (stat_date, division_id, cells, figures)
WITH below AS (
    SELECT kin.parent_id AS division_id, unnest(below.cells) AS cell_id, unnest(below.figures) AS value
    FROM kin
    JOIN mart.daily_sum AS below ON below.stat_date = :day AND below.division_id = kin.division_id
    WHERE kin.parent_depth = :depth AND NOT kin.is_leaf
),

sent AS (
    SELECT part.division_id, part.cell_id, part.value
    FROM part
    WHERE part.depth = :depth
    UNION ALL
    SELECT below.division_id, below.cell_id, below.value
    FROM below
    JOIN core.cell ON cell.cell_id = below.cell_id AND cell.channel_id <> 0
),

summed AS (
    SELECT sent.division_id, sent.cell_id, sum(sent.value)::bigint AS value
    FROM sent
    GROUP BY sent.division_id, sent.cell_id
),

figure AS (
    SELECT summed.division_id, summed.cell_id, summed.value
    FROM summed
    UNION ALL
    SELECT summed.division_id, all_cell.cell_id, sum(summed.value)::bigint
    FROM summed
    JOIN core.cell ON cell.cell_id = summed.cell_id
    JOIN core.cell AS all_cell ON all_cell.measure_id = cell.measure_id AND all_cell.channel_id = 0
    GROUP BY summed.division_id, all_cell.cell_id
)

SELECT
    :day,
    figure.division_id,
    array_agg(figure.cell_id ORDER BY figure.cell_id),
    array_agg(figure.value ORDER BY figure.cell_id)
FROM figure
GROUP BY figure.division_id
