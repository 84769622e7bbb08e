-- Villages whose last reports that are not nil, this day's among them, say the same throughout. Without the range of days
-- every look at an earlier report would go through the partitions of all months.
WITH reported AS MATERIALIZED (
    SELECT submission.unit_id, submission.cells, submission.figures, total.value AS total
    FROM core.submission
    CROSS JOIN LATERAL (SELECT sum(figure)::bigint AS value FROM unnest(submission.figures) AS figure) AS total
    JOIN core.division_period AS period
        ON period.division_id = submission.unit_id AND period.level = 'village'
        AND period.valid_from <= :day AND :day < period.valid_to
    WHERE submission.stat_date = :day AND submission.dataset = 'daily' AND submission.known_to = 'infinity'
        AND total.value >= :least_total
        AND (CAST(:units AS integer[]) IS NULL OR submission.unit_id = ANY(:units))
),

before AS (
    SELECT
        reported.unit_id,
        count(*) AS reports,
        bool_and(earlier.cells = reported.cells AND earlier.figures = reported.figures) AS is_same
    FROM reported
    CROSS JOIN LATERAL (
        SELECT submission.cells, submission.figures
        FROM (
            SELECT (CAST(:day AS date) - back.days) AS stat_date
            FROM generate_series(1, :within_days) AS back (days)
        ) AS day
        CROSS JOIN LATERAL (
            SELECT submission.cells, submission.figures
            FROM core.submission
            WHERE submission.stat_date = day.stat_date AND submission.unit_id = reported.unit_id
                AND submission.stat_date BETWEEN CAST(:day AS date) - CAST(:within_days AS integer) AND CAST(:day AS date)
                AND submission.dataset = 'daily' AND submission.known_to = 'infinity'
                AND 0 < ANY(submission.figures)
        ) AS submission
        ORDER BY day.stat_date DESC
        LIMIT :reports - 1
    ) AS earlier
    GROUP BY reported.unit_id
)

SELECT division.division_code AS unit_code, reported.total
FROM before
JOIN reported USING (unit_id)
JOIN core.division ON division.division_id = before.unit_id
WHERE before.is_same AND before.reports = :reports - 1
ORDER BY 1
