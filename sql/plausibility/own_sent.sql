-- Which of the units sent something on each day, nil reports included. The days come one by one, so that each is looked
-- up by its key and not found by reading months; the range lets PostgreSQL leave out the partitions of other months once,
-- not for each look.
SELECT day.stat_date, array_agg(DISTINCT sent.unit_id) AS division_id
FROM (SELECT generate_series(CAST(:first AS date), CAST(:day AS date), interval '1 day')::date AS stat_date) AS day
CROSS JOIN LATERAL (
    SELECT submission.unit_id
    FROM core.submission
    WHERE submission.stat_date = day.stat_date AND submission.unit_id = ANY(:divisions)
        AND submission.stat_date BETWEEN :first AND :day
        AND submission.dataset = 'daily' AND submission.known_to = 'infinity' AND NOT submission.is_withdrawn
) AS sent
GROUP BY day.stat_date
