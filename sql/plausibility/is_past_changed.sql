-- Whether units restated a day of the history after it was fitted. Days are looked up by their keys one by one, as an
-- array; the range lets PostgreSQL leave out the partitions of other months.
SELECT EXISTS (
    SELECT 1
    FROM core.submission
    WHERE submission.stat_date = ANY(ARRAY(
        SELECT generate_series(CAST(:first AS date), CAST(:day AS date) - 1, interval '1 day')::date
    ))
        AND submission.stat_date BETWEEN :first AND :day
        AND submission.unit_id = ANY(:divisions)
        AND submission.dataset = 'daily' AND submission.known_from > :fitted_at
)
