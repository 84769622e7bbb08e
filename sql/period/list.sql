-- Closed months, and months with batches that wait; with what waits for each.
SELECT
    coalesce(closed.month, waiting.month) AS month,
    closed.month IS NOT NULL AS is_closed,
    closed.decided_by,
    closed.reason,
    closed.decided_at,
    coalesce(waiting.batches, 0) AS batches_waiting,
    coalesce(waiting.rows, 0) AS rows_waiting
FROM core.closed_month AS closed
FULL JOIN (
    SELECT
        date_trunc('month', flag.stat_date)::date AS month,
        count(DISTINCT flag.batch_id) AS batches,
        sum(held.rows) AS rows
    FROM quality.flag
    LEFT JOIN (
        SELECT quarantine.batch_id, count(*) AS rows
        FROM quality.quarantine
        WHERE quarantine.reason_code = 'period_locked' AND quarantine.state = 'held'
        GROUP BY quarantine.batch_id
    ) AS held ON held.batch_id = flag.batch_id
    WHERE flag.check_code = 'period_locked' AND flag.state = 'open'
    GROUP BY 1
) AS waiting ON waiting.month = closed.month
ORDER BY 1
