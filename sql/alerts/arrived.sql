-- Which units have a submission that counts by now, and which still owe one.
WITH arrived AS MATERIALIZED (
    SELECT DISTINCT submission.unit_id
    FROM core.submission
    WHERE submission.stat_date = :day AND submission.unit_id = ANY(CAST(:ids AS integer[]))
        AND submission.dataset = :dataset AND submission.known_to = 'infinity' AND NOT submission.is_withdrawn
        AND submission.received_at <= :moment
)

SELECT
    told.unit_id,
    arrived.unit_id IS NOT NULL AS has_arrived,
    owing.unit_id IS NOT NULL AS is_owed
FROM unnest(CAST(:ids AS integer[])) AS told (unit_id)
LEFT JOIN arrived ON arrived.unit_id = told.unit_id
LEFT JOIN (
    SELECT DISTINCT unnest(expected.unit_ids) AS unit_id
    FROM core.expected_day AS expected
    WHERE expected.stat_date = :day AND expected.dataset = :dataset AND expected.known_to = 'infinity'
        AND expected.due_at IS NOT NULL
) AS owing ON owing.unit_id = told.unit_id
