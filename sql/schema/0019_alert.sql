-- Alerts about submissions: the outbox of what recipients are told, every attempt to send it, and the rounds that wrote it.

-- One row per digest: who is told, in which round, about what. Written once by its round (the natural key below keeps two
-- schedulers and retries from writing it twice), taken by a sender, closed by an acknowledgement or by what arrives.
CREATE TABLE quality.alert (
    alert_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset text NOT NULL,
    stat_date date NOT NULL,
    -- The rung of the ladder, as the catalogue names it; all_clear for what arrived after all.
    round text NOT NULL,
    -- The moment that the rung falls on: due or cut-off time, working days after it, or the hour of an all-clear.
    round_at timestamptz NOT NULL,
    reason text NOT NULL CHECK (reason IN ('not_received', 'missing', 'outage', 'cleared', 'recovered')),
    -- Null where nobody is declared to be told.
    recipient text,
    -- The level that the round tells: unit, a level of core.level, duty or operator.
    level text NOT NULL,
    -- Units it is about; platforms where the reason is outage or recovered.
    subject_ids integer[] NOT NULL CHECK (cardinality(subject_ids) > 0),
    -- Of these, those that nobody has said to have arrived.
    open_ids integer[] NOT NULL,
    -- Divisions that had to be told and have no contact: the recipient stands in for them.
    gap_ids integer[] NOT NULL DEFAULT '{}',
    subject text NOT NULL,
    body text NOT NULL,
    -- moot: everything had arrived before it was sent. no_contact: nobody is declared, up to the province.
    state text NOT NULL CHECK (state IN ('pending', 'sent', 'acknowledged', 'failed', 'moot', 'no_contact')),
    created_at timestamptz NOT NULL,
    not_before timestamptz NOT NULL,
    -- The channel that is tried now or has delivered, and how often it failed.
    channel text,
    failures smallint NOT NULL DEFAULT 0,
    last_error text NOT NULL DEFAULT '',
    sent_at timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text,
    UNIQUE NULLS NOT DISTINCT (dataset, stat_date, round, round_at, recipient, reason),
    CHECK ((recipient IS NULL) = (state = 'no_contact')),
    CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL)),
    CHECK (state <> 'sent' OR sent_at IS NOT NULL),
    CHECK (state <> 'acknowledged' OR acknowledged_at IS NOT NULL)
);
CREATE INDEX ON quality.alert (not_before, alert_id) WHERE state = 'pending';
CREATE INDEX ON quality.alert (stat_date);
CREATE INDEX ON quality.alert (round_at) WHERE open_ids <> '{}';

CREATE TABLE quality.alert_attempt (
    attempt_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id bigint NOT NULL REFERENCES quality.alert ON DELETE CASCADE,
    channel text NOT NULL,
    tried_at timestamptz NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('sent', 'failed')),
    error text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX one_delivery ON quality.alert_attempt (alert_id) WHERE outcome = 'sent';
CREATE INDEX ON quality.alert_attempt (alert_id);

-- Rounds that were run. One is done when every platform had answered since its moment; until then it is run again and
-- tells those of whom it has become certain.
CREATE TABLE quality.alert_round (
    dataset text NOT NULL,
    stat_date date NOT NULL,
    round text NOT NULL,
    round_at timestamptz NOT NULL,
    last_run_at timestamptz NOT NULL,
    is_done boolean NOT NULL,
    units_missing integer NOT NULL,
    -- Of these, units of platforms that could not be reached, and of platforms nobody has asked since the moment.
    units_out integer NOT NULL,
    units_waiting integer NOT NULL,
    PRIMARY KEY (dataset, stat_date, round, round_at)
);

-- What the catalogue declares and views need.
CREATE TABLE quality.alert_setting (
    setting text PRIMARY KEY,
    value integer NOT NULL
);
INSERT INTO quality.alert_setting VALUES ('profile_days', 90);

CREATE VIEW mart.alert AS
SELECT
    alert.recipient,
    alert.level,
    alert.round,
    alert.stat_date,
    -- An outage names platforms instead.
    CASE
        WHEN alert.reason IN ('outage', 'recovered') THEN '{}'
        ELSE ARRAY(
            SELECT division.division_code
            FROM unnest(alert.subject_ids) AS unit (unit_id)
            JOIN core.division ON division.division_id = unit.unit_id
            ORDER BY division.division_code
        )
    END AS unit_codes,
    alert.sent_at,
    alert.state,
    alert.alert_id,
    alert.dataset,
    alert.reason,
    CASE
        WHEN alert.reason IN ('outage', 'recovered') THEN ARRAY(
            SELECT platform.platform
            FROM unnest(alert.subject_ids) AS subject (platform_id)
            JOIN core.platform ON platform.platform_id = subject.platform_id
            ORDER BY platform.platform
        )
        ELSE '{}'
    END AS platforms,
    cardinality(alert.subject_ids) AS subjects,
    cardinality(alert.open_ids) AS subjects_open,
    cardinality(alert.gap_ids) AS contacts_missing,
    alert.round_at,
    alert.created_at,
    alert.not_before,
    alert.channel,
    alert.failures,
    alert.last_error,
    alert.acknowledged_at,
    alert.acknowledged_by,
    alert.subject
FROM quality.alert;

-- Divisions without a contact that had to be told, and who stood in for them.
CREATE VIEW mart.contact_gap AS
SELECT
    division.division_code,
    period.division_name,
    period.level,
    alert.recipient AS told_instead,
    max(alert.created_at) AS last_at,
    count(*)::integer AS alerts
FROM quality.alert
CROSS JOIN LATERAL unnest(alert.gap_ids) AS gap (division_id)
JOIN core.division ON division.division_id = gap.division_id
JOIN core.division_period AS period
    ON period.division_id = gap.division_id
    AND period.valid_from <= alert.stat_date AND alert.stat_date < period.valid_to
GROUP BY division.division_code, period.division_name, period.level, alert.recipient;
