-- A month: the totals of its days, each on that day's divisions. Of a division that had others below it on some days
-- only, its own figures of the other days count too.
INSERT INTO mart.period_sum (period_id, division_id, cells, figures)
WITH partly AS (
    SELECT reporting.division_id
    FROM mart.period_reporting AS reporting
    WHERE reporting.period_id = :period_id AND NOT reporting.is_leaf
),

alone AS MATERIALIZED (
    SELECT daily.stat_date, daily.division_id
    FROM mart.daily_reporting AS daily
    JOIN partly ON partly.division_id = daily.division_id
    WHERE daily.stat_date BETWEEN :first AND :last AND daily.is_leaf
),

own AS (
    SELECT alone.division_id, count.cell_id, count.value
    FROM alone
    JOIN core.daily_count AS count ON count.stat_date = alone.stat_date AND count.unit_id = alone.division_id
    WHERE count.stat_date BETWEEN :first AND :last
    UNION ALL
    SELECT
        alone.division_id, carried.cell_id,
        submission.figures[array_position(submission.cells, carried.sums_cell_id)]
    FROM alone
    JOIN core.submission ON submission.stat_date = alone.stat_date AND submission.unit_id = alone.division_id
    JOIN core.carried_cell AS carried
        ON submission.cells @> ARRAY[carried.sums_cell_id, carried.carrying_cell_id]
    WHERE submission.stat_date BETWEEN :first AND :last AND submission.dataset = 'daily'
        AND submission.known_to = 'infinity'
),

figure AS (
    SELECT daily.division_id, unnest(daily.cells) AS cell_id, unnest(daily.figures) AS value
    FROM mart.daily_sum AS daily
    WHERE daily.stat_date BETWEEN :first AND :last
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
