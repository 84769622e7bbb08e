-- Periods that are to be shown: named, until a run takes it; taken, until all of it is shown. One row each, however many
-- changes it waits for.
CREATE TABLE mart.period_naming (
    period text PRIMARY KEY,
    -- The run that named it; null where somebody shows a period that nobody has named.
    named_by text,
    named_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    taken_at timestamptz
);

-- All that was rolled up before this is shown, in every part of the period.
ALTER TABLE mart.period ADD COLUMN shown_from timestamptz;
UPDATE mart.period
SET shown_from = least(totalled_at, indicated_at, satisfied_at, evaluated_at)
WHERE indicated_at IS NOT NULL;
