-- Their sums over the month: through the day, and whole.
CREATE TEMPORARY TABLE month_figure ON COMMIT DROP AS
SELECT
    figure.unit_id,
    cell.measure_id,
    coalesce(sum(figure.value) FILTER (WHERE figure.stat_date <= :day), 0)::bigint AS through,
    sum(figure.value)::bigint AS whole
FROM (
    SELECT submission.stat_date, asked.unit_id, submission.cell_id, submission.value
    FROM asked
    CROSS JOIN (
        SELECT generate_series(CAST(:month AS date), CAST(:month_end AS date), interval '1 day')::date AS stat_date
    ) AS day
    CROSS JOIN LATERAL (
        SELECT submission.stat_date, unnest(submission.cells) AS cell_id, unnest(submission.figures) AS value
        FROM core.submission
        WHERE submission.stat_date = day.stat_date AND submission.unit_id = asked.unit_id
            AND submission.stat_date BETWEEN CAST(:month AS date) AND CAST(:month_end AS date)
            AND submission.dataset = 'daily' AND submission.known_to = 'infinity'
    ) AS submission
    WHERE submission.cell_id = ANY(:cells)
) AS figure
JOIN core.cell ON cell.cell_id = figure.cell_id
GROUP BY figure.unit_id, cell.measure_id;
