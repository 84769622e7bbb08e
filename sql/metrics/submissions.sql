-- Units by status, for the newest day of each data set of which a cut-off has passed; null is due and not judged yet.
WITH newest AS (
    SELECT expected.dataset, max(expected.stat_date) AS stat_date
    FROM core.expected_day AS expected
    WHERE expected.known_to = 'infinity' AND expected.cutoff_at < :moment
    GROUP BY expected.dataset
)

SELECT
    status.dataset, newest.stat_date, status.level, coalesce(status.status, 'waiting') AS status, count(*) AS units
FROM newest
JOIN mart.submission_status AS status ON status.dataset = newest.dataset AND status.stat_date = newest.stat_date
GROUP BY status.dataset, newest.stat_date, status.level, status.status
