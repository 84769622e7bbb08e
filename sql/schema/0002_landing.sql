-- What came in: one row per pull of a platform and day, or per file; what is staged between the gate and the load.
CREATE TABLE landing.batch (
    batch_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    platform_id smallint NOT NULL REFERENCES core.platform,
    dataset text NOT NULL,
    stat_date date NOT NULL,
    source_name text NOT NULL,
    sha256 text CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    part_sizes bigint[] NOT NULL DEFAULT '{}',
    -- The sender's whole file for one county and day (family B): what a later revision leaves out is withdrawn.
    scope text,
    scope_revision bigint,
    file_modified_at timestamptz,
    received_at timestamptz,
    pulled_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('registered', 'gated', 'loaded', 'failed', 'rejected')),
    message text NOT NULL DEFAULT '',
    rows_received integer NOT NULL DEFAULT 0,
    rows_loaded integer NOT NULL DEFAULT 0,
    rows_quarantined integer NOT NULL DEFAULT 0,
    rows_duplicate integer NOT NULL DEFAULT 0,
    rows_superseded integer NOT NULL DEFAULT 0,
    UNIQUE NULLS NOT DISTINCT (platform_id, dataset, stat_date, source_name, sha256),
    CONSTRAINT ledger_adds_up CHECK (
        state NOT IN ('loaded', 'failed', 'rejected')
        OR rows_received = rows_loaded + rows_quarantined + rows_duplicate + rows_superseded
    ),
    CHECK (state IN ('failed', 'rejected') OR sha256 IS NOT NULL),
    CHECK ((scope IS NULL) = (scope_revision IS NULL))
);
CREATE INDEX ON landing.batch (stat_date, platform_id);
CREATE INDEX ON landing.batch (stat_date) WHERE state = 'gated';
CREATE INDEX ON landing.batch (platform_id) WHERE state = 'failed';
CREATE INDEX ON landing.batch (sha256);

-- One row per platform asked in one run: a retry takes only the unfinished, and `restate` knows since when to ask.
CREATE TABLE landing.pull (
    pull_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_key text NOT NULL,
    platform_id smallint NOT NULL REFERENCES core.platform,
    kind text NOT NULL CHECK (kind IN ('day', 'since')),
    stat_date date,
    since timestamptz,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    outcome text CHECK (outcome IN ('done', 'failed', 'rejected')),
    message text NOT NULL DEFAULT '',
    ignored text[] NOT NULL DEFAULT '{}',
    UNIQUE NULLS NOT DISTINCT (run_key, platform_id, kind, stat_date)
);
CREATE INDEX ON landing.pull (platform_id, finished_at);

-- Accepted submissions of gated batches, written while those are locked, waiting for the load of their day; what they
-- refer to is held by the foreign keys of core.submission. Emptied by the load.
CREATE TABLE landing.staged_submission (
    batch_id bigint NOT NULL,
    unit_id integer NOT NULL,
    revision bigint NOT NULL,
    -- 0, or 1 and more when one batch holds the same revision of a unit again.
    sent_number smallint NOT NULL,
    received_at timestamptz NOT NULL,
    filled_at text,
    is_nil boolean NOT NULL,
    -- Every row of it is quarantined: it replaces nothing.
    is_rejected boolean NOT NULL,
    cells smallint[] NOT NULL,
    figures bigint[] NOT NULL,
    row_numbers integer[] NOT NULL,
    PRIMARY KEY (batch_id, unit_id, revision, sent_number)
);
