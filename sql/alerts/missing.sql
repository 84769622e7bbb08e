-- Units that owe a day and have nothing that counts, with the platforms they owe it to; a withdrawn submission is none.
SELECT
    owing.unit_id,
    expected.due_at,
    expected.cutoff_at,
    expected.platform_ids,
    EXISTS (
        SELECT FROM quality.quarantine
        WHERE quarantine.stat_date = expected.stat_date AND quarantine.unit_code = division.division_code
            AND quarantine.state IN ('held', 'discarded') AND quarantine.reason_code <> 'period_locked'
    ) AS is_rejected
FROM core.expected_day AS expected
CROSS JOIN LATERAL unnest(expected.unit_ids) AS owing (unit_id)
JOIN core.division ON division.division_id = owing.unit_id
WHERE expected.stat_date = :day AND expected.dataset = :dataset AND expected.known_to = 'infinity'
    AND expected.due_at IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM core.submission
        WHERE submission.stat_date = expected.stat_date AND submission.unit_id = owing.unit_id
            AND submission.dataset = expected.dataset AND submission.known_to = 'infinity'
            AND NOT submission.is_withdrawn AND submission.received_at <= :moment
    )
ORDER BY owing.unit_id
