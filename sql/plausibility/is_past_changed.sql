-- Whether units restated a day of the history after it was fitted. The days come one by one, each looked up by its key.
SELECT EXISTS (
    SELECT
    FROM (
        SELECT generate_series(CAST(:first AS date), CAST(:day AS date) - 1, interval '1 day')::date AS stat_date
    ) AS day
    CROSS JOIN LATERAL (
        SELECT submission.known_from
        FROM core.submission
        WHERE submission.stat_date = day.stat_date AND submission.unit_id = ANY(:divisions)
            AND submission.stat_date BETWEEN :first AND :day
            AND submission.dataset = 'daily' AND submission.known_from > :fitted_at
    ) AS restated
)
