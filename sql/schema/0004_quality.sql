-- What was held back, and what was let through with a remark. Nobody's personal data stands here: it is masked.
CREATE SCHEMA quality;

CREATE TABLE quality.quarantine (
    quarantine_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    batch_id bigint NOT NULL REFERENCES landing.batch ON DELETE CASCADE,
    row_number integer NOT NULL,
    place text NOT NULL,
    unit_code text NOT NULL,
    stat_date date NOT NULL,
    reason_code text NOT NULL CHECK (reason_code IN (
        'unit_unknown', 'unit_outside_area', 'unit_inactive', 'measure', 'channel', 'level', 'value', 'date',
        'conflict', 'personal', 'balance', 'structure'
    )),
    reason text NOT NULL,
    reason_en text NOT NULL,
    raw jsonb NOT NULL,
    state text NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'released', 'discarded')),
    UNIQUE (batch_id, row_number)
);
CREATE INDEX ON quality.quarantine (stat_date, unit_code);

CREATE TABLE quality.flag (
    flag_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    batch_id bigint NOT NULL REFERENCES landing.batch ON DELETE CASCADE,
    unit_code text,
    stat_date date NOT NULL,
    check_code text NOT NULL,
    message text NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'explained', 'closed')),
    UNIQUE NULLS NOT DISTINCT (batch_id, unit_code, check_code, message)
);
CREATE INDEX ON quality.flag (stat_date);
