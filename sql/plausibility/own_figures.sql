-- What the units themselves reported, one row of arrays per day. The days come one by one, so that each is looked up by
-- its key and not found by reading months; the range lets PostgreSQL leave out the partitions of other months once, not
-- for each look.
SELECT
    figure.stat_date,
    array_agg(figure.unit_id) AS division_id,
    array_agg(figure.cell_id) AS cell_id,
    array_agg(figure.value) AS value
FROM (
    SELECT day.stat_date, sent.unit_id, sent.cell_id, sent.value
    FROM (SELECT generate_series(CAST(:first AS date), CAST(:day AS date), interval '1 day')::date AS stat_date) AS day
    CROSS JOIN LATERAL (
        SELECT submission.unit_id, unnest(submission.cells) AS cell_id, unnest(submission.figures) AS value
        FROM core.submission
        WHERE submission.stat_date = day.stat_date AND submission.unit_id = ANY(:divisions)
            AND submission.stat_date BETWEEN :first AND :day
            AND submission.dataset = 'daily' AND submission.known_to = 'infinity'
    ) AS sent
) AS figure
GROUP BY figure.stat_date
