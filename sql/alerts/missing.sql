-- Units that owe a day and have nothing that counts (a withdrawn submission is nothing), by the platforms they owe it to and
-- the times until which; and those of them of whom something came and is held back.
WITH arrived AS MATERIALIZED (
    SELECT DISTINCT submission.unit_id
    FROM core.submission
    WHERE submission.stat_date = :day AND submission.dataset = :dataset AND submission.known_to = 'infinity'
        AND NOT submission.is_withdrawn AND submission.received_at <= :moment
)

SELECT
    expected.due_at,
    expected.cutoff_at,
    expected.platform_ids,
    array_agg(owing.unit_id ORDER BY owing.unit_id) AS unit_ids,
    coalesce(array_agg(owing.unit_id) FILTER (WHERE held.unit_id IS NOT NULL), '{}') AS rejected_ids
FROM core.expected_day AS expected
CROSS JOIN LATERAL unnest(expected.unit_ids) AS owing (unit_id)
LEFT JOIN (
    SELECT DISTINCT division.division_id AS unit_id
    FROM quality.quarantine
    JOIN core.division ON division.division_code = quarantine.unit_code
    WHERE quarantine.stat_date = :day AND quarantine.state IN ('held', 'discarded')
        AND quarantine.reason_code <> 'period_locked'
) AS held ON held.unit_id = owing.unit_id
WHERE expected.stat_date = :day AND expected.dataset = :dataset AND expected.known_to = 'infinity'
    AND expected.cutoff_at = ANY(CAST(:cutoffs AS timestamptz[]))
    AND NOT EXISTS (SELECT FROM arrived WHERE arrived.unit_id = owing.unit_id)
GROUP BY expected.due_at, expected.cutoff_at, expected.platform_ids
