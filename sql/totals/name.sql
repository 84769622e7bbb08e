-- Names periods that wait, each with when it was last rolled up, and returns those that nobody has named yet. One that a
-- run shows just now is named again only for what was rolled up after the run took it; one that still waits when its name
-- has become old is named again, since its run has failed, or was never made.
INSERT INTO mart.period_naming AS naming (period, named_by)
SELECT waiting.period, :named_by
FROM jsonb_to_recordset(CAST(:waiting AS jsonb)) AS waiting (period text, rolled_up_at timestamptz)
LEFT JOIN mart.period_naming AS earlier USING (period)
WHERE earlier.period IS NULL
    OR earlier.named_by = :named_by
    OR earlier.taken_at < waiting.rolled_up_at
    OR greatest(earlier.named_at, earlier.taken_at) < clock_timestamp() - CAST(:old AS interval)
ON CONFLICT (period) DO UPDATE
SET named_by = excluded.named_by, named_at = excluded.named_at, taken_at = NULL
RETURNING naming.period
