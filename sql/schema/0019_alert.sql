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

-- 催报记录: one row per unit and digest that named it: who was reminded, when, by which channel, and what came of it. An
-- all-clear reminds nobody.
CREATE VIEW mart.reminder AS
SELECT
    division.division_code AS unit_code,
    alert.dataset,
    alert.stat_date,
    alert.round,
    alert.recipient,
    alert.level,
    alert.reason,
    alert.created_at,
    alert.sent_at,
    alert.channel,
    alert.state,
    alert.acknowledged_at,
    alert.acknowledged_by,
    arrival.received_at,
    CASE
        WHEN arrival.received_at IS NULL THEN 'open'
        WHEN alert.sent_at IS NULL OR arrival.received_at <= alert.sent_at THEN 'arrived_before'
        ELSE 'arrived'
    END AS outcome,
    CASE
        WHEN arrival.received_at > alert.sent_at
            THEN round(extract(epoch FROM arrival.received_at - alert.sent_at) / 3600, 1)
    END AS hours_to_arrival,
    alert.alert_id
FROM quality.alert
CROSS JOIN LATERAL unnest(alert.subject_ids) AS unit (unit_id)
JOIN core.division ON division.division_id = unit.unit_id
LEFT JOIN LATERAL (
    SELECT min(submission.received_at) AS received_at
    FROM core.submission
    WHERE submission.stat_date = alert.stat_date AND submission.unit_id = unit.unit_id
        AND submission.dataset = alert.dataset AND NOT submission.is_withdrawn
) AS arrival ON true
WHERE alert.reason IN ('not_received', 'missing');

-- How units kept their deadlines on the days from first_day to last_day whose cut-off has passed. A streak is a run of
-- expected days, one after the other, on none of which the unit was on time; the current one reaches the last of them.
-- usual_hour: the median hour of arrival, counted from midnight (Shanghai) of the day itself: 33 is nine o'clock next day.
CREATE FUNCTION mart.lateness_between(first_day date, last_day date)
RETURNS TABLE (
    unit_code text, unit_name text, level text, parent_code text, dataset text, days_expected integer,
    days_on_time integer, days_late integer, days_after_cutoff integer, days_missing integer, share_late numeric,
    current_streak integer, longest_streak integer, usual_hour numeric
)
LANGUAGE sql STABLE ROWS 10000 AS $$
    WITH judged AS (
        SELECT
            status.unit_code, status.unit_name, status.level, status.parent_code, status.dataset, status.stat_date,
            status.status,
            extract(epoch FROM status.received_at - status.stat_date::timestamp AT TIME ZONE 'Asia/Shanghai') / 3600
                AS hour,
            count(*) FILTER (WHERE status.status = 'on_time') OVER (
                PARTITION BY status.unit_code, status.dataset ORDER BY status.stat_date DESC
            ) AS times_since,
            count(*) FILTER (WHERE status.status = 'on_time') OVER (
                PARTITION BY status.unit_code, status.dataset ORDER BY status.stat_date
            ) AS times_until
        FROM mart.submission_status AS status
        WHERE status.stat_date BETWEEN first_day AND last_day AND status.is_expected
            AND status.cutoff_at < statement_timestamp()
    ),

    streak AS (
        SELECT judged.unit_code, judged.dataset, judged.times_until, count(*) AS days
        FROM judged
        WHERE judged.status <> 'on_time'
        GROUP BY judged.unit_code, judged.dataset, judged.times_until
    ),

    longest AS (
        SELECT streak.unit_code, streak.dataset, max(streak.days) AS days
        FROM streak
        GROUP BY streak.unit_code, streak.dataset
    )

    SELECT
        judged.unit_code,
        (array_agg(judged.unit_name ORDER BY judged.stat_date DESC))[1],
        (array_agg(judged.level ORDER BY judged.stat_date DESC))[1],
        (array_agg(judged.parent_code ORDER BY judged.stat_date DESC))[1],
        judged.dataset,
        count(*)::integer,
        count(*) FILTER (WHERE judged.status = 'on_time')::integer,
        count(*) FILTER (WHERE judged.status = 'late')::integer,
        count(*) FILTER (WHERE judged.status = 'late_after_cutoff')::integer,
        count(*) FILTER (WHERE judged.status IN ('missing', 'rejected'))::integer,
        1 - count(*) FILTER (WHERE judged.status = 'on_time')::numeric / count(*),
        count(*) FILTER (WHERE judged.times_since = 0)::integer,
        coalesce(longest.days, 0)::integer,
        round(percentile_cont(0.5) WITHIN GROUP (ORDER BY judged.hour)::numeric, 1)
    FROM judged
    LEFT JOIN longest ON longest.unit_code = judged.unit_code AND longest.dataset = judged.dataset
    GROUP BY judged.unit_code, judged.dataset, longest.days
$$;

-- The same over the window that the catalogue declares (alerts/delivery, profile_days), up to today.
CREATE VIEW mart.lateness_profile AS
SELECT setting.value AS window_days, profile.*
FROM quality.alert_setting AS setting
CROSS JOIN LATERAL mart.lateness_between(
    (statement_timestamp() AT TIME ZONE 'Asia/Shanghai')::date - setting.value,
    (statement_timestamp() AT TIME ZONE 'Asia/Shanghai')::date
) AS profile
WHERE setting.setting = 'profile_days';
