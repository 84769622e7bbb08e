-- Dissatisfied answers as they stand now, of all units or one; none are left where there is a follow-up and no such answer.
INSERT INTO quality.dissatisfied (stat_date, unit_id, channel_id, people, due_on, division_ids)
WITH counted AS (
    SELECT cell.cell_id, cell.channel_id
    FROM core.cell
    JOIN core.measure ON measure.measure_id = cell.measure_id
    WHERE cell.channel_id <> 0 AND measure.measure = ANY(:answers)
),

sent AS (
    SELECT
        submission.stat_date,
        submission.unit_id,
        unnest(submission.cells) AS cell_id,
        unnest(submission.figures) AS value
    FROM core.submission
    WHERE submission.stat_date BETWEEN :first_day AND :last_day
        AND submission.dataset = 'daily' AND submission.known_to = 'infinity'
        AND submission.cells && ARRAY(SELECT counted.cell_id FROM counted)
        AND (CAST(:unit_id AS integer) IS NULL OR submission.unit_id = :unit_id)
),

answered AS (
    SELECT sent.stat_date, sent.unit_id, counted.channel_id, sum(sent.value)::bigint AS people
    FROM sent
    JOIN counted ON counted.cell_id = sent.cell_id
    WHERE sent.value > 0
    GROUP BY sent.stat_date, sent.unit_id, counted.channel_id
    UNION ALL
    SELECT follow_up.stat_date, follow_up.unit_id, follow_up.channel_id, 0
    FROM quality.follow_up
    WHERE follow_up.stat_date BETWEEN :first_day AND :last_day
        AND (CAST(:unit_id AS integer) IS NULL OR follow_up.unit_id = :unit_id)
),

due AS MATERIALIZED (
    SELECT answered.stat_date, answered.unit_id, answered.channel_id, sum(answered.people)::bigint AS people
    FROM answered
    GROUP BY answered.stat_date, answered.unit_id, answered.channel_id
),

above AS (
    SELECT
        due.stat_date,
        due.unit_id,
        array_agg(DISTINCT place.division_id ORDER BY place.division_id) AS division_ids
    FROM due
    CROSS JOIN LATERAL (
        SELECT due.unit_id AS division_id
        UNION ALL
        SELECT above.division_id FROM core.division_above(due.unit_id, due.stat_date) AS above
    ) AS place
    GROUP BY due.stat_date, due.unit_id
),

deadline AS (
    SELECT *
    FROM unnest(CAST(:days AS date[]), CAST(:due_days AS date[])) AS deadline (stat_date, due_on)
)

SELECT due.stat_date, due.unit_id, due.channel_id, due.people, deadline.due_on, above.division_ids
FROM due
JOIN above ON above.stat_date = due.stat_date AND above.unit_id = due.unit_id
LEFT JOIN deadline ON deadline.stat_date = due.stat_date
