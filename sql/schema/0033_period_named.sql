-- Periods that period_indicators was told of and has not shown yet: one row each, however many runs wait for them. Named,
-- until a run takes it; taken, until all of it is shown.
CREATE TABLE mart.period_named (
    period text PRIMARY KEY,
    -- The run that named it.
    named_by text NOT NULL,
    named_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    taken_at timestamptz
);
