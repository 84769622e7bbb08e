-- What the units themselves reported of some measures, over channels, one row of arrays per day; days as in
-- plausibility/own_figures.
SELECT
    figure.stat_date,
    array_agg(figure.unit_id) AS division_id,
    array_agg(figure.measure_id) AS measure_id,
    array_agg(figure.value) AS value
FROM (
    SELECT sent.stat_date, sent.unit_id, cell.measure_id, sum(sent.value)::bigint AS value
    FROM (
        SELECT
            submission.stat_date, submission.unit_id, unnest(submission.cells) AS cell_id,
            unnest(submission.figures) AS value
        FROM core.submission
        WHERE submission.stat_date = ANY(ARRAY(
            SELECT generate_series(CAST(:first AS date), CAST(:day AS date), interval '1 day')::date
        ))
            AND submission.stat_date BETWEEN :first AND :day
            AND submission.unit_id = ANY(:divisions)
            AND submission.dataset = 'daily' AND submission.known_to = 'infinity'
    ) AS sent
    JOIN core.cell ON cell.cell_id = sent.cell_id AND cell.channel_id <> 0
    WHERE cell.measure_id = ANY(:measures)
    GROUP BY sent.stat_date, sent.unit_id, cell.measure_id
) AS figure
GROUP BY figure.stat_date
