-- Issued tables: frozen, and made again at any time from what was known then.

-- What the catalogue declared of that figures are made of (etl/catalog_version.py), by its SHA-256.
CREATE TABLE core.catalog_version (
    digest text PRIMARY KEY,
    content text NOT NULL,
    known_from timestamptz NOT NULL
);

-- The version by which the period's indicators, satisfaction and evaluation were last written; null from before.
ALTER TABLE mart.period ADD COLUMN catalog_digest text;

-- Since when it is known that a row is held back, or what a flag says.
ALTER TABLE quality.quarantine ADD COLUMN known_at timestamptz;
UPDATE quality.quarantine SET known_at = batch.pulled_at FROM landing.batch WHERE batch.batch_id = quarantine.batch_id;
ALTER TABLE quality.quarantine ALTER COLUMN known_at SET DEFAULT clock_timestamp(), ALTER COLUMN known_at SET NOT NULL;
ALTER TABLE quality.flag ADD COLUMN known_at timestamptz;
UPDATE quality.flag SET known_at = batch.pulled_at FROM landing.batch WHERE batch.batch_id = flag.batch_id;
ALTER TABLE quality.flag ALTER COLUMN known_at SET DEFAULT clock_timestamp();

-- One version of a report of one division and period. The draft is what a person approves; its figures never change.
-- drafted: made. awaiting_approval: a person was asked. refused: with the reason; its number is given again. approved:
-- frozen and on its way. delivered: every target has it. failed: a target refuses it.
CREATE TABLE mart.issue (
    issue_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    report text NOT NULL,
    title text NOT NULL,
    division_code text NOT NULL,
    division_name text NOT NULL,
    period text NOT NULL,
    version smallint NOT NULL CHECK (version > 0),
    state text NOT NULL CHECK (
        state IN ('drafted', 'awaiting_approval', 'refused', 'approved', 'delivered', 'failed')
    ),
    -- Everything known until then went in, and nothing later.
    known_at timestamptz NOT NULL,
    catalog_digest text NOT NULL REFERENCES core.catalog_version,
    -- Every period that may stand in the table: whether it had totals, and the catalogue its indicators were made by.
    periods jsonb NOT NULL,
    scheme_versions text[] NOT NULL,
    row_count integer NOT NULL,
    -- SHA-256 of all cells with the keys of their rows and columns.
    cells_sha256 text NOT NULL,
    cells_changed integer,
    -- Name, bytes and SHA-256 of every file but the manifest.
    files jsonb NOT NULL,
    drafted_at timestamptz NOT NULL,
    drafted_by text NOT NULL,
    -- The run that asked a person.
    asked_in text,
    decided_at timestamptz,
    decided_by text,
    reason text,
    manifest_sha256 text,
    CHECK (state IN ('drafted', 'awaiting_approval') OR (decided_at IS NOT NULL AND decided_by <> '')),
    CHECK (state <> 'refused' OR reason <> '')
);
CREATE UNIQUE INDEX one_issued_version ON mart.issue (report, division_code, period, version) WHERE state <> 'refused';

CREATE VIEW mart.issued_table AS
SELECT
    issue.report,
    issue.title,
    issue.division_code,
    issue.division_name,
    issue.period,
    issue.version,
    CASE WHEN issue.state IN ('approved', 'delivered', 'failed') THEN issue.decided_at END AS issued_at,
    CASE WHEN issue.state IN ('approved', 'delivered', 'failed') THEN issue.decided_by END AS issued_by,
    issue.known_at,
    issue.state,
    CASE WHEN issue.version > 1 THEN issue.version - 1 END AS replaces_version,
    issue.catalog_digest,
    array_to_string(issue.scheme_versions, ', ') AS scheme_version,
    issue.files,
    issue.row_count,
    issue.cells_changed,
    issue.manifest_sha256,
    issue.drafted_at,
    issue.drafted_by,
    issue.decided_at,
    issue.decided_by,
    issue.reason,
    issue.issue_id
FROM mart.issue;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'pls_reader') THEN
        GRANT SELECT ON mart.issued_table TO pls_reader;
    END IF;
END
$$;

-- The moment that statements judge by: now, or the earlier one that the transaction looks back to (etl/issue/as_known.py).
CREATE FUNCTION core.judged_at() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('pls.judged_at', true), '')::timestamptz, statement_timestamp())
$$;
