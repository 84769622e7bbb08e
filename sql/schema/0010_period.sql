-- Months, quarters, years, and the year up to the end of each month (to_date); days stand in mart.daily_total and
-- mart.daily_reporting, and have a row in mart.period once indicators were computed for them.
CREATE TABLE mart.period (
    period_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    period text NOT NULL UNIQUE,
    kind text NOT NULL CHECK (kind IN ('day', 'month', 'quarter', 'year', 'to_date')),
    starts_on date NOT NULL,
    -- The last day of the period.
    ends_on date NOT NULL,
    -- When its totals, indicators, satisfaction and evaluation were last written, by the database's clock.
    totalled_at timestamptz,
    indicated_at timestamptz,
    satisfied_at timestamptz,
    evaluated_at timestamptz,
    UNIQUE (kind, starts_on, ends_on),
    CHECK (starts_on <= ends_on)
);

-- What each unit's own submissions say of a period, by measure and channel (channel 0 is not stored).
CREATE TABLE mart.period_own (
    period_id integer NOT NULL,
    unit_id integer NOT NULL,
    cell_id smallint NOT NULL,
    value bigint NOT NULL,
    PRIMARY KEY (period_id, unit_id, cell_id)
) PARTITION BY LIST (period_id);

-- Figures of every division that had others below it: the sum of its days, each on that day's divisions; channel 0 too. A
-- division without any below it is not stored here: its figures are its own unit's.
CREATE TABLE mart.period_total (
    period_id integer NOT NULL,
    division_id integer NOT NULL,
    cell_id smallint NOT NULL,
    value bigint NOT NULL,
    PRIMARY KEY (period_id, division_id, cell_id)
) PARTITION BY LIST (period_id);

-- Who reported, for every division of the period: the division's own unit and all below it. Units are counted once for
-- each day on which they were expected.
CREATE TABLE mart.period_reporting (
    period_id integer NOT NULL,
    division_id integer NOT NULL,
    -- The last day of the period on which the division was there; its name, level and parent are those of this day.
    last_day date NOT NULL,
    is_leaf boolean NOT NULL,
    -- Days of the period that were rolled up with this division.
    days_known smallint NOT NULL,
    expected integer NOT NULL,
    -- received is of those expected; on_time and late are parts of it.
    received integer NOT NULL,
    on_time integer NOT NULL,
    late integer NOT NULL,
    -- Accepted submissions, expected or not.
    reported integer NOT NULL,
    -- At which levels, at or below, a unit reported nil: bit 2^depth of core.level is set. What such a unit owes is 0, not
    -- missing.
    nil_levels integer NOT NULL,
    PRIMARY KEY (period_id, division_id)
) PARTITION BY LIST (period_id);

-- The small integer that an indicator's figures carry.
CREATE TABLE core.indicator (
    indicator_id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    indicator text NOT NULL UNIQUE
);

-- What was computed: value = numerator / denominator × the declared factor, or the numerator alone. Null says why in
-- status: no_data (a measure it needs is missing), not_applicable (nothing to divide by). completeness: the smallest share
-- of reporting among what went in, 0 to 1. note_zh: what a reader must know (carried forward, incomplete population).
CREATE TABLE mart.indicator_figure (
    period_id integer NOT NULL,
    division_id integer NOT NULL,
    indicator_id smallint NOT NULL,
    numerator numeric,
    denominator numeric,
    value numeric,
    status text CHECK (status IN ('no_data', 'not_applicable')),
    completeness numeric,
    is_provisional boolean NOT NULL,
    note_zh text,
    PRIMARY KEY (period_id, division_id, indicator_id),
    CHECK ((value IS NULL) = (status IS NOT NULL))
);

-- The row of a period and its partitions. A partition is made alone and then attached: made in place it would lock its
-- parent against readers, and two periods shown at once would wait for each other.
CREATE FUNCTION mart.ensure_period(name text, of_kind text, first_day date, last_day date) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    number integer;
    parent text;
BEGIN
    SELECT period_id INTO number FROM mart.period WHERE period = name;
    IF number IS NOT NULL THEN
        RETURN number;
    END IF;
    PERFORM pg_advisory_xact_lock(7300005);
    SELECT period_id INTO number FROM mart.period WHERE period = name;
    IF number IS NOT NULL THEN
        RETURN number;
    END IF;
    INSERT INTO mart.period (period, kind, starts_on, ends_on)
    VALUES (name, of_kind, first_day, last_day)
    RETURNING period_id INTO number;
    IF of_kind <> 'day' THEN
        FOREACH parent IN ARRAY ARRAY['mart.period_own', 'mart.period_total', 'mart.period_reporting'] LOOP
            EXECUTE format('CREATE TABLE %s_%s (LIKE %s INCLUDING ALL)', parent, number, parent);
            EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s_%s FOR VALUES IN (%s)', parent, parent, number, number);
        END LOOP;
    END IF;
    RETURN number;
END
$$;
