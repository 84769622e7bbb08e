-- Villages whose last reports that are not nil, this day's among them, say the same throughout.
WITH reported AS (
    SELECT
        submission.unit_id, submission.stat_date, submission.cells, submission.figures,
        (SELECT sum(figure)::bigint FROM unnest(submission.figures) AS figure) AS total
    FROM core.submission
    JOIN core.division_period AS period
        ON period.division_id = submission.unit_id AND period.level = 'village'
        AND period.valid_from <= :day AND :day < period.valid_to
    WHERE submission.stat_date = :day AND submission.dataset = 'daily' AND submission.known_to = 'infinity'
        AND (CAST(:units AS integer[]) IS NULL OR submission.unit_id = ANY(:units))
        AND (SELECT sum(figure)::bigint FROM unnest(submission.figures) AS figure) >= :least_total
),

earlier AS (
    SELECT
        reported.unit_id,
        reported.total,
        submission.cells = reported.cells AND submission.figures = reported.figures AS is_same,
        row_number() OVER (PARTITION BY reported.unit_id ORDER BY submission.stat_date DESC) AS place
    FROM reported
    JOIN core.submission ON submission.unit_id = reported.unit_id
    WHERE submission.stat_date = ANY(ARRAY(
        SELECT CAST(:day AS date) - back.days FROM generate_series(1, :within_days) AS back (days)
    ))
        AND submission.stat_date BETWEEN CAST(:day AS date) - CAST(:within_days AS integer) AND CAST(:day AS date)
        AND submission.dataset = 'daily' AND submission.known_to = 'infinity' AND 0 < ANY(submission.figures)
),

alike AS (
    SELECT earlier.unit_id, earlier.total
    FROM earlier
    WHERE earlier.place < :reports
    GROUP BY earlier.unit_id, earlier.total
    HAVING bool_and(earlier.is_same) AND count(*) = :reports - 1
)

SELECT division.division_code AS unit_code, alike.total
FROM alike
JOIN core.division ON division.division_id = alike.unit_id
ORDER BY 1
