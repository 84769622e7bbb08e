-- The rules of a scheme, one row per indicator and level.
CREATE TEMPORARY TABLE rule ON COMMIT DROP AS
SELECT indicator.indicator_id, declared.*
FROM jsonb_to_recordset(CAST(:rules AS jsonb)) AS declared (
    level text,
    indicator text,
    position smallint,
    category text,
    aspect text,
    weight numeric,
    applies boolean,
    method text,
    is_lower_better boolean,
    target numeric,
    floor numeric,
    cap numeric,
    lowest numeric,
    highest numeric,
    steps jsonb,
    missing text
)
LEFT JOIN core.indicator ON indicator.indicator = declared.indicator
