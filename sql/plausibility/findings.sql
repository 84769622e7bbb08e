-- What was found on the day, each with who is asked: the recipient declared for the unit or for the nearest division above
-- it; where none is declared, the nearest division from county level up.
CREATE TEMPORARY TABLE finding ON COMMIT DROP AS
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

SELECT found.*, coalesce(assigned.assignee, found.unit_code) AS assignee
FROM found
LEFT JOIN assigned USING (unit_code)
