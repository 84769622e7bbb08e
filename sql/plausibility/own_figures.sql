-- What the units themselves reported, one row of arrays per day. Days are looked up by their keys one by one, as an array,
-- and not found by reading months; the range lets PostgreSQL leave out the partitions of other months.
SELECT
    figure.stat_date,
    array_agg(figure.unit_id) AS division_id,
    array_agg(figure.cell_id) AS cell_id,
    array_agg(figure.value) AS value
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
) AS figure
GROUP BY figure.stat_date
