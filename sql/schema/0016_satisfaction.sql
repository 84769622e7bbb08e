-- Satisfaction (满意度): what was asked and answered, with intervals; what is shown of it; and the follow-up of the dissatisfied.

-- How the satisfaction of a period was computed: what a reader must know of all its rates.
CREATE TABLE mart.satisfaction_rule (
    period_id integer PRIMARY KEY REFERENCES mart.period,
    definition_zh text NOT NULL,
    weighting_zh text NOT NULL,
    confidence double precision NOT NULL,
    fewest_shown smallint NOT NULL,
    fewest_ranked smallint NOT NULL
);

-- All figures, hidden ones too; channel 0 is the total. Of a division without any survey there is the total alone. No foreign
-- keys but to the period: rows are made from core's and written in bulk.
CREATE TABLE mart.satisfaction_figure (
    period_id integer NOT NULL REFERENCES mart.period,
    division_id integer NOT NULL,
    channel_id smallint NOT NULL,
    last_day date NOT NULL,
    asked bigint,
    answered bigint,
    delivered bigint,
    satisfied bigint,
    strictly_satisfied bigint,
    dissatisfied bigint,
    aware bigint,
    aware_answered bigint,
    first_choice bigint,
    first_choice_answered bigint,
    rate double precision,
    rate_low double precision,
    rate_high double precision,
    strict_rate double precision,
    strict_rate_low double precision,
    strict_rate_high double precision,
    awareness double precision,
    awareness_low double precision,
    awareness_high double precision,
    first_choice_rate double precision,
    first_choice_low double precision,
    first_choice_high double precision,
    score double precision,
    -- Ranks that the interval leaves open, among divisions of one level under one parent; null where nothing is ranked.
    rank_low integer,
    rank_high integer,
    is_leading boolean,
    weighted_rate double precision,
    weighted_low double precision,
    weighted_high double precision,
    effective_sample double precision,
    weighting_note_zh text,
    is_provisional boolean NOT NULL,
    -- Whether the sample is too small, or would give one away.
    is_hidden boolean NOT NULL,
    PRIMARY KEY (period_id, division_id, channel_id)
);

CREATE VIEW mart.satisfaction AS
SELECT
    division.division_code,
    place.division_name,
    place.level,
    parent.division_code AS parent_code,
    period.period,
    channel.channel,
    shown.asked,
    shown.answered,
    figure.delivered,
    shown.answered::double precision / nullif(shown.asked, 0) AS response_rate,
    -- 参评率: of all services delivered; more than 1 where people answered about services of another period.
    shown.answered::double precision / nullif(shown.delivered, 0) AS answered_share,
    shown.satisfied,
    shown.rate,
    shown.rate_low,
    shown.rate_high,
    shown.strict_rate,
    shown.strict_rate_low,
    shown.strict_rate_high,
    -- As if nobody who did not answer were satisfied.
    shown.satisfied::double precision / nullif(shown.delivered, 0) AS satisfied_share,
    shown.awareness,
    shown.awareness_low,
    shown.awareness_high,
    shown.aware_answered,
    shown.first_choice_rate AS first_choice,
    shown.first_choice_low,
    shown.first_choice_high,
    shown.first_choice_answered,
    shown.score,
    coalesce(shown.answered >= rule.fewest_ranked, false) AS enough,
    coalesce(shown.answered >= rule.fewest_shown, false) AS is_shown,
    CASE
        WHEN figure.is_hidden
            THEN format('回答不足 %s 份，或可据以推算不足 %s 份的数据，不予公布', rule.fewest_shown, rule.fewest_shown)
        WHEN shown.answered < rule.fewest_ranked AND shown.answered > 0 THEN '样本不足，不参与排名'
    END AS note_zh,
    shown.rank_low,
    shown.rank_high,
    shown.is_leading,
    shown.weighted_rate,
    shown.weighted_low,
    shown.weighted_high,
    shown.effective_sample,
    shown.weighting_note_zh,
    figure.is_provisional,
    rule.definition_zh,
    rule.weighting_zh,
    rule.confidence
FROM mart.satisfaction_figure AS figure
JOIN mart.period ON period.period_id = figure.period_id
JOIN mart.satisfaction_rule AS rule ON rule.period_id = figure.period_id
JOIN core.channel ON channel.channel_id = figure.channel_id
JOIN core.division ON division.division_id = figure.division_id
JOIN core.division_period AS place
    ON place.division_id = figure.division_id
    AND place.valid_from <= figure.last_day AND figure.last_day < place.valid_to
LEFT JOIN core.division AS parent ON parent.division_id = place.parent_id
LEFT JOIN mart.satisfaction_figure AS shown
    ON shown.period_id = figure.period_id AND shown.division_id = figure.division_id
    AND shown.channel_id = figure.channel_id AND NOT shown.is_hidden;

-- People to be followed up (回访): dissatisfied answers of a unit, day and channel, written with the satisfaction of their month
-- and whenever a follow-up is recorded. None are left where a restatement took them away after a follow-up was recorded.
CREATE TABLE quality.dissatisfied (
    stat_date date NOT NULL,
    unit_id integer NOT NULL REFERENCES core.division,
    channel_id smallint NOT NULL REFERENCES core.channel CHECK (channel_id <> 0),
    people bigint NOT NULL CHECK (people >= 0),
    -- The last day that is in time; null while the calendar does not know the days.
    due_on date CHECK (due_on > stat_date),
    -- The unit's division and all above it on the day.
    division_ids integer[] NOT NULL,
    PRIMARY KEY (stat_date, unit_id, channel_id)
);

-- Who called back how many of them, and what came of it. Sources deliver nothing of it: people record it, and nothing is
-- changed afterwards.
CREATE TABLE quality.follow_up (
    follow_up_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stat_date date NOT NULL,
    unit_id integer NOT NULL REFERENCES core.division,
    channel_id smallint NOT NULL REFERENCES core.channel CHECK (channel_id <> 0),
    people integer NOT NULL CHECK (people > 0),
    done_on date NOT NULL CHECK (done_on >= stat_date),
    result text NOT NULL CHECK (result <> ''),
    done_by text NOT NULL CHECK (done_by <> ''),
    reason text NOT NULL CHECK (reason <> ''),
    recorded_at timestamptz NOT NULL
);
CREATE INDEX ON quality.follow_up (stat_date, unit_id, channel_id);

-- Of each unit, day and channel: due = in time + late + open. What was done beyond what is due is surplus.
CREATE VIEW quality.follow_up_state AS
SELECT
    due.stat_date,
    due.unit_id,
    due.channel_id,
    due.due_on,
    due.division_ids,
    due.people AS due,
    least(done.in_time, due.people) AS in_time,
    least(done.people, due.people) - least(done.in_time, due.people) AS late,
    due.people - least(done.people, due.people) AS open,
    done.people - least(done.people, due.people) AS surplus
FROM quality.dissatisfied AS due
CROSS JOIN LATERAL (
    SELECT
        coalesce(sum(follow_up.people), 0)::bigint AS people,
        coalesce(sum(follow_up.people) FILTER (WHERE coalesce(follow_up.done_on <= due.due_on, true)), 0)::bigint
            AS in_time
    FROM quality.follow_up
    WHERE follow_up.stat_date = due.stat_date AND follow_up.unit_id = due.unit_id
        AND follow_up.channel_id = due.channel_id
) AS done;

-- The loop per division and period, of divisions whose satisfaction is shown. open_due_on: the first deadline of those open.
CREATE VIEW mart.follow_up AS
SELECT
    division.division_code,
    place.division_name,
    place.level,
    parent.division_code AS parent_code,
    loop.period,
    loop.due,
    loop.in_time,
    loop.late,
    loop.open,
    loop.surplus,
    loop.open_due_on
FROM (
    SELECT
        period.period_id,
        period.period,
        above.division_id,
        sum(state.due)::bigint AS due,
        sum(state.in_time)::bigint AS in_time,
        sum(state.late)::bigint AS late,
        sum(state.open)::bigint AS open,
        sum(state.surplus)::bigint AS surplus,
        min(state.due_on) FILTER (WHERE state.open > 0) AS open_due_on
    FROM mart.period
    JOIN quality.follow_up_state AS state ON state.stat_date BETWEEN period.starts_on AND period.ends_on
    CROSS JOIN LATERAL unnest(state.division_ids) AS above (division_id)
    GROUP BY period.period_id, period.period, above.division_id
) AS loop
JOIN mart.satisfaction_figure AS figure
    ON figure.period_id = loop.period_id AND figure.division_id = loop.division_id
    AND figure.channel_id = 0 AND NOT figure.is_hidden
JOIN core.division ON division.division_id = loop.division_id
JOIN core.division_period AS place
    ON place.division_id = loop.division_id
    AND place.valid_from <= figure.last_day AND figure.last_day < place.valid_to
LEFT JOIN core.division AS parent ON parent.division_id = place.parent_id;

-- Whether somebody may see samples however small: those who may read the submissions themselves (ruling 18).
CREATE FUNCTION mart.may_see_survey() RETURNS boolean LANGUAGE sql STABLE
RETURN has_table_privilege(current_user, 'core.submission'::regclass, 'SELECT');

-- Survey figures are left out of the views for everybody else: pls_reader, the role of portal and reports, reads satisfaction
-- from mart.satisfaction alone. The views are wrapped as they stand; security_barrier keeps functions of the reader's own
-- from seeing rows before they are left out.
DO $$
DECLARE
    shown regclass;
BEGIN
    FOREACH shown IN ARRAY ARRAY[to_regclass('mart.daily_statistics'), to_regclass('mart.period_statistics')] LOOP
        CONTINUE WHEN shown IS NULL;
        EXECUTE format(
            'CREATE OR REPLACE VIEW %s WITH (security_barrier) AS SELECT shown.* FROM (%s) AS shown'
            ' WHERE (SELECT mart.may_see_survey()) OR shown.measure NOT IN ('
            'SELECT measure.measure FROM core.measure WHERE measure.kind NOT IN (''flow'', ''stock''))',
            shown, rtrim(pg_get_viewdef(shown), ';')
        );
    END LOOP;
END
$$;

-- A role is shared by all databases of a server, and one who may not make roles finds it made, or does without.
DO $$
DECLARE
    shown text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pls_reader') THEN
        BEGIN
            CREATE ROLE pls_reader NOLOGIN;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege THEN RETURN;
        END;
    END IF;
    GRANT USAGE ON SCHEMA mart TO pls_reader;
    FOREACH shown IN ARRAY ARRAY[
        'daily_statistics', 'period_statistics', 'submission_status', 'reporting_rate', 'ledger', 'satisfaction', 'follow_up'
    ] LOOP
        CONTINUE WHEN to_regclass(format('mart.%I', shown)) IS NULL;
        EXECUTE format('GRANT SELECT ON mart.%I TO pls_reader', shown);
    END LOOP;
END
$$;
