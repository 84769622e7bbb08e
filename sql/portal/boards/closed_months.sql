-- Months that take no change (封账), and how many rows wait for each.
SELECT closed.month, closed.decided_by, closed.reason, closed.decided_at, waiting.rows AS rows_waiting
FROM mart.closed_month AS closed
CROSS JOIN LATERAL (
    SELECT count(*) AS rows
    FROM mart.quarantined_row AS held
    WHERE held.reason_code = 'period_locked' AND held.state = 'held'
        AND held.stat_date BETWEEN closed.month AND (closed.month + interval '1 month - 1 day')::date
        AND (CAST(:codes AS text[]) IS NULL OR held.unit_code = ANY(:codes) OR held.platform = ANY(:platforms))
) AS waiting
ORDER BY closed.month DESC
LIMIT 24
