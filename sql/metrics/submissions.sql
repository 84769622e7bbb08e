-- Units by status, for the newest day of each data set of which a cut-off has passed; null is due and not judged yet.
WITH newest AS (
    SELECT expected.dataset, max(expected.stat_date) AS stat_date
    FROM core.expected_day AS expected
    WHERE expected.known_to = 'infinity' AND expected.cutoff_at < :moment
    GROUP BY expected.dataset
),

asked AS (SELECT DISTINCT newest.stat_date FROM newest)

SELECT
    status.dataset, newest.stat_date, status.level, coalesce(status.status, 'waiting') AS status, count(*) AS units
FROM asked
CROSS JOIN LATERAL mart.submission_status_among(:moment, NULL, asked.stat_date, asked.stat_date) AS status
JOIN newest ON newest.dataset = status.dataset AND newest.stat_date = status.stat_date
GROUP BY status.dataset, newest.stat_date, status.level, status.status
