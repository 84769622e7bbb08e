-- Their sums over the month: through the day, and whole; days as in own_figures.
CREATE TEMPORARY TABLE month_figure ON COMMIT DROP AS
SELECT
    figure.unit_id,
    cell.measure_id,
    coalesce(sum(figure.value) FILTER (WHERE figure.stat_date <= :day), 0)::bigint AS through,
    sum(figure.value)::bigint AS whole
FROM (
    SELECT
        submission.stat_date, submission.unit_id, unnest(submission.cells) AS cell_id,
        unnest(submission.figures) AS value
    FROM asked
    JOIN core.submission ON submission.unit_id = asked.unit_id
    WHERE submission.stat_date = ANY(ARRAY(
        SELECT generate_series(CAST(:month AS date), CAST(:month_end AS date), interval '1 day')::date
    ))
        AND submission.stat_date BETWEEN CAST(:month AS date) AND CAST(:month_end AS date)
        AND submission.dataset = 'daily' AND submission.known_to = 'infinity'
) AS figure
JOIN core.cell ON cell.cell_id = figure.cell_id
WHERE figure.cell_id = ANY(:cells)
GROUP BY figure.unit_id, cell.measure_id;
