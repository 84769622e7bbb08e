-- What was found on the day becomes flags, each with who is asked: the recipient declared for the unit or for the nearest
-- division above it; where none is declared, the nearest division from county level up. A flag that the system closed and
-- that holds again is opened again; nothing else of an existing flag changes.
WITH RECURSIVE found AS (
    SELECT *
    FROM jsonb_to_recordset(CAST(:findings AS jsonb)) AS found (
        check_code text, unit_code text, level text, measure text, channel text, value bigint, effect bigint,
        score double precision, message text
    )
),

upward AS (
    SELECT division.division_code AS unit_code, period.division_id, period.parent_id, period.level, 0 AS distance
    FROM core.division
    JOIN core.division_period AS period USING (division_id)
    WHERE division.division_code IN (SELECT found.unit_code FROM found)
        AND period.valid_from <= :day AND :day < period.valid_to
    UNION ALL
    SELECT upward.unit_code, period.division_id, period.parent_id, period.level, upward.distance + 1
    FROM upward
    JOIN core.division_period AS period ON period.division_id = upward.parent_id
    WHERE period.valid_from <= :day AND :day < period.valid_to
),

assigned AS (
    SELECT DISTINCT ON (upward.unit_code)
        upward.unit_code,
        coalesce(recipient.recipient, division.division_code) AS assignee
    FROM upward
    JOIN core.division USING (division_id)
    LEFT JOIN jsonb_to_recordset(CAST(:recipients AS jsonb)) AS recipient (division_code text, recipient text)
        ON recipient.division_code = division.division_code
    WHERE recipient.recipient IS NOT NULL OR upward.level IN ('county', 'city', 'province')
    ORDER BY upward.unit_code, recipient.recipient IS NULL, upward.distance
)

INSERT INTO quality.flag (
    batch_id, unit_code, stat_date, check_code, message, level, measure, channel, value, effect, score, assignee,
    due_date
)
SELECT
    CASE WHEN found.channel IS DISTINCT FROM 'all' THEN sent.batch_id END,
    found.unit_code,
    :day,
    found.check_code,
    found.message,
    found.level,
    found.measure,
    found.channel,
    found.value,
    found.effect,
    found.score,
    coalesce(assigned.assignee, found.unit_code),
    :due_date
FROM found
LEFT JOIN assigned USING (unit_code)
LEFT JOIN LATERAL (
    SELECT max(submission.batch_id) AS batch_id
    FROM core.division
    JOIN core.submission ON submission.unit_id = division.division_id
    LEFT JOIN core.measure ON measure.measure = found.measure
    LEFT JOIN core.channel ON channel.channel = found.channel
    LEFT JOIN core.cell ON cell.measure_id = measure.measure_id AND cell.channel_id = channel.channel_id
    WHERE division.division_code = found.unit_code AND submission.stat_date = :day
        AND submission.dataset = 'daily' AND submission.known_to = 'infinity'
        AND (cell.cell_id IS NULL OR cell.cell_id = ANY(submission.cells))
) AS sent ON true
ON CONFLICT (stat_date, unit_code, check_code, measure, channel, value) WHERE score IS NOT NULL DO UPDATE
SET
    state = CASE WHEN flag.explanation IS NULL THEN 'open' ELSE 'explained' END,
    closed_by = NULL,
    closed_at = NULL,
    closing_reason = NULL
WHERE flag.state = 'closed' AND flag.closed_by = 'system'
