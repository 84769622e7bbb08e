-- Deliveries of issued tables: one row per version and target, made when the version is approved.

-- waiting: to be tried; after a transient fault, tried again by the next run. delivered: with the receipt (where it lies,
-- bytes and SHA-256 read back, or the mail's id). failed: the target refuses it; a person mends that and lets it be tried
-- again. told_at: when those on duty were told of the fault.
CREATE TABLE mart.delivery (
    delivery_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    issue_id bigint NOT NULL REFERENCES mart.issue,
    target text NOT NULL,
    kind text NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempts integer NOT NULL DEFAULT 0,
    tried_at timestamptz,
    last_error text NOT NULL DEFAULT '',
    told_at timestamptz,
    receipt jsonb,
    UNIQUE (issue_id, target),
    CHECK ((state = 'delivered') = (receipt IS NOT NULL))
);
CREATE INDEX ON mart.delivery (delivery_id) WHERE state = 'waiting';
