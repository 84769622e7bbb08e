-- The quarantine desk and the period lock: what a person decides about rows that were held back, and months that take
-- no silent change.

-- sent: from a platform. release: rows that the desk let go. reopened: a batch of a closed month, read once more.
ALTER TABLE landing.batch
    ADD COLUMN kind text NOT NULL DEFAULT 'sent' CHECK (kind IN ('sent', 'release', 'reopened'));

-- A release is merged into the sender's submission of the same revision: ordinal counts the merges, batch_ids names the
-- batch of each figure where they are of several.
ALTER TABLE core.submission
    ADD COLUMN ordinal smallint NOT NULL DEFAULT 0,
    ADD COLUMN batch_ids bigint[],
    ADD CHECK (batch_ids IS NULL OR cardinality(batch_ids) = cardinality(cells));

CREATE OR REPLACE VIEW core.daily_count AS
SELECT
    submission.stat_date,
    submission.unit_id,
    figure.cell_id,
    figure.value,
    figure.row_number,
    submission.submission_id,
    coalesce(figure.batch_id, submission.batch_id) AS batch_id
FROM core.submission
CROSS JOIN LATERAL unnest(submission.cells, submission.figures, submission.row_numbers, submission.batch_ids)
    AS figure (cell_id, value, row_number, batch_id)
WHERE submission.known_to = 'infinity' AND submission.dataset = 'daily';

-- held: nobody has decided. released: let go, as it stood or corrected. discarded: will never count. corrected: the sender
-- has sent a later revision.
ALTER TABLE quality.quarantine
    DROP CONSTRAINT quarantine_state_check,
    ADD CONSTRAINT quarantine_state_check CHECK (state IN ('held', 'released', 'discarded', 'corrected')),
    DROP CONSTRAINT quarantine_reason_code_check,
    ADD CONSTRAINT quarantine_reason_code_check CHECK (reason_code IN (
        'unit_unknown', 'unit_outside_area', 'unit_inactive', 'measure', 'channel', 'level', 'value', 'date',
        'conflict', 'personal', 'balance', 'structure', 'period_locked'
    ));
CREATE INDEX ON quality.quarantine (stat_date) WHERE state = 'held';

-- Who decided what about a row, when and why; decided by the system where a later revision settled it.
CREATE TABLE quality.decision (
    decision_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    quarantine_id bigint NOT NULL REFERENCES quality.quarantine ON DELETE CASCADE,
    action text NOT NULL CHECK (action IN ('released', 'discarded', 'corrected')),
    decided_by text NOT NULL CHECK (decided_by <> ''),
    reason text NOT NULL CHECK (reason <> ''),
    -- What the row was changed to, where it was.
    correction jsonb,
    -- The batch in which the row came in after all.
    batch_id bigint REFERENCES landing.batch,
    decided_at timestamptz NOT NULL
);
CREATE INDEX ON quality.decision (quarantine_id);

-- A month is closed or open as its last event says; a month without one is open.
CREATE TABLE core.period_event (
    event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    month date NOT NULL CHECK (month = date_trunc('month', month)),
    action text NOT NULL CHECK (action IN ('closed', 'reopened')),
    decided_by text NOT NULL CHECK (decided_by <> ''),
    reason text NOT NULL CHECK (reason <> ''),
    decided_at timestamptz NOT NULL
);
CREATE INDEX ON core.period_event (month, event_id);

CREATE VIEW core.closed_month AS
SELECT DISTINCT last.month, last.decided_by, last.reason, last.decided_at
FROM core.period_event AS last
WHERE last.action = 'closed'
    AND NOT EXISTS (
        SELECT FROM core.period_event AS later WHERE later.month = last.month AND later.event_id > last.event_id
    );

-- A unit of whose rows none counts is rejected, also once they are discarded; what waits for a closed month changes nothing.
CREATE OR REPLACE VIEW mart.submission_status AS
SELECT
    division.division_code AS unit_code,
    period.division_name AS unit_name,
    period.level,
    parent.division_code AS parent_code,
    'daily'::text AS dataset,
    reporting.stat_date,
    reporting.is_expected,
    received.received_at,
    received.revision,
    coalesce(received.is_nil, false) AS is_nil,
    CASE
        WHEN reporting.is_reported THEN 'received'
        WHEN held.unit_code IS NOT NULL THEN 'rejected'
        WHEN reporting.is_expected THEN 'missing'
        ELSE 'not_expected'
    END AS status
FROM mart.daily_reporting AS reporting
JOIN core.division ON division.division_id = reporting.division_id
JOIN core.division_period AS period
    ON period.division_id = reporting.division_id
    AND period.valid_from <= reporting.stat_date AND reporting.stat_date < period.valid_to
LEFT JOIN core.division AS parent ON parent.division_id = period.parent_id
LEFT JOIN (
    SELECT
        submission.stat_date,
        submission.unit_id,
        min(submission.received_at) AS received_at,
        max(submission.revision) AS revision,
        bool_and(submission.is_nil) AS is_nil
    FROM core.submission
    WHERE submission.known_to = 'infinity' AND NOT submission.is_withdrawn AND submission.dataset = 'daily'
    GROUP BY submission.stat_date, submission.unit_id
) AS received ON received.stat_date = reporting.stat_date AND received.unit_id = reporting.division_id
LEFT JOIN (
    SELECT quarantine.stat_date, quarantine.unit_code
    FROM quality.quarantine
    WHERE quarantine.state IN ('held', 'discarded') AND quarantine.reason_code <> 'period_locked'
    UNION
    SELECT flag.stat_date, flag.unit_code
    FROM quality.flag
    WHERE flag.check_code = 'nil_held'
) AS held ON held.stat_date = reporting.stat_date AND held.unit_code = division.division_code;

-- Units whose figures changed since the day was last rolled up.
ALTER TABLE mart.daily_rollup ADD COLUMN units_waiting integer[] NOT NULL DEFAULT '{}';
