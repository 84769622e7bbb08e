-- What the portal reads, as pls_reader: single divisions without the work of a whole period, and nothing of surveys but what
-- mart.satisfaction shows (ruling 18).

-- As before; what is asked of some divisions reads the rows of these alone, however it is joined.
CREATE OR REPLACE FUNCTION mart.period_figure_of(of_period integer, of_divisions integer[] DEFAULT NULL)
RETURNS TABLE (division_id integer, cell_id smallint, value bigint)
LANGUAGE sql STABLE ROWS 100000 AS $$
    SELECT total.division_id, total.cell_id, total.value
    FROM mart.period_total AS total
    WHERE total.period_id = of_period AND (of_divisions IS NULL OR total.division_id = ANY(of_divisions))
    UNION ALL
    SELECT own.unit_id, own.cell_id, own.value
    FROM mart.period_own AS own
    JOIN mart.period_reporting AS leaf ON leaf.division_id = own.unit_id AND leaf.is_leaf
    WHERE own.period_id = of_period AND leaf.period_id = of_period
        AND (of_divisions IS NULL OR own.unit_id = ANY(of_divisions))
        AND (of_divisions IS NULL OR leaf.division_id = ANY(of_divisions))
    UNION ALL
    SELECT own.unit_id, all_cell.cell_id, sum(own.value)::bigint
    FROM mart.period_own AS own
    JOIN mart.period_reporting AS leaf ON leaf.division_id = own.unit_id AND leaf.is_leaf
    JOIN core.cell ON cell.cell_id = own.cell_id
    JOIN core.cell AS all_cell ON all_cell.measure_id = cell.measure_id AND all_cell.channel_id = 0
    WHERE own.period_id = of_period AND leaf.period_id = of_period
        AND (of_divisions IS NULL OR own.unit_id = ANY(of_divisions))
        AND (of_divisions IS NULL OR leaf.division_id = ANY(of_divisions))
    GROUP BY own.unit_id, all_cell.cell_id
$$;

-- One period of mart.period_statistics: a level of it, or some divisions. The view and the portal both ask here: nothing is
-- defined twice. Whatever is asked for is named in arrays before anything is joined: joins are then by hashing alone, of
-- few rows or of many. of_measures narrows what is shown.
CREATE FUNCTION mart.period_statistics_of(name text, of_level text, of_divisions integer[], of_measures text[] DEFAULT NULL)
RETURNS TABLE (
    division_code text, division_name text, level text, parent_code text, period text, measure text, channel text,
    value bigint, value_previous bigint, value_last_year bigint, mom numeric, yoy numeric, ytd bigint, expected integer,
    received integer, is_provisional boolean, measure_name text, channel_name text, unit text
)
LANGUAGE plpgsql STABLE ROWS 100000
SET plan_cache_mode = force_custom_plan
SET enable_nestloop = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    this mart.period;
    previous mart.period;
    last_year mart.period;
    -- The year up to the end of this period.
    to_date_id integer;
    -- The divisions asked for, or those of the level, if few.
    few integer[] := of_divisions;
    parents integer[];
    cells smallint[] := ARRAY(
        SELECT cell.cell_id
        FROM core.cell
        JOIN core.measure ON measure.measure_id = cell.measure_id
        WHERE measure.kind <> 'carried' AND (of_measures IS NULL OR measure.measure = ANY(of_measures))
    );
BEGIN
    SELECT * INTO this FROM mart.period AS known WHERE known.period = name AND known.totalled_at IS NOT NULL;
    IF this.period_id IS NULL THEN
        RETURN;
    END IF;
    SELECT * INTO previous FROM mart.period AS known
    WHERE known.kind = this.kind AND known.ends_on = this.starts_on - 1 AND known.totalled_at IS NOT NULL;
    SELECT * INTO last_year FROM mart.period AS known
    WHERE known.kind = this.kind AND known.starts_on = this.starts_on - interval '1 year'
        AND known.totalled_at IS NOT NULL;
    SELECT known.period_id INTO to_date_id FROM mart.period AS known
    WHERE known.kind = CASE this.kind WHEN 'year' THEN 'year' ELSE 'to_date' END
        AND known.ends_on = this.ends_on AND known.totalled_at IS NOT NULL;
    IF few IS NULL THEN
        SELECT CASE WHEN count(*) < 5000 THEN coalesce(array_agg(reporting.division_id), '{}') END INTO few
        FROM mart.period_reporting AS reporting
        JOIN core.division_period AS place
            ON place.division_id = reporting.division_id
            AND place.valid_from <= reporting.last_day AND reporting.last_day < place.valid_to
        WHERE reporting.period_id = this.period_id AND place.level = of_level;
    END IF;
    IF few IS NOT NULL THEN
        parents := ARRAY(SELECT DISTINCT place.parent_id FROM core.division_period AS place WHERE place.division_id = ANY(few));
    END IF;

    RETURN QUERY
    WITH reporting AS MATERIALIZED (
        SELECT
            here.division_id, division.division_code, place.division_name, place.level,
            parent.division_code AS parent_code, here.expected, here.received, here.reported, here.nil_levels,
            mart.is_provisional(this, here.expected, here.received) AS is_provisional
        FROM mart.period_reporting AS here
        JOIN core.division_period AS place
            ON place.division_id = here.division_id
            AND place.valid_from <= here.last_day AND here.last_day < place.valid_to
            AND (few IS NULL OR place.division_id = ANY(few))
        JOIN core.division
            ON division.division_id = here.division_id AND (few IS NULL OR division.division_id = ANY(few))
        LEFT JOIN core.division AS parent
            ON parent.division_id = place.parent_id AND (few IS NULL OR parent.division_id = ANY(parents))
        WHERE here.period_id = this.period_id AND (few IS NULL OR here.division_id = ANY(few))
            AND (of_level IS NULL OR place.level = of_level)
    ),

    figure AS MATERIALIZED (
        SELECT figure.division_id, figure.cell_id, figure.value
        FROM mart.period_figure_of(this.period_id, few) AS figure
        JOIN reporting ON reporting.division_id = figure.division_id
        JOIN core.cell_name AS known ON known.cell_id = figure.cell_id AND known.kind <> 'carried'
    ),

    -- A division that owes figures is never absent: its first measure is 0 after nil reports, null when nothing came.
    shown AS (
        SELECT figure.division_id, figure.cell_id, figure.value
        FROM figure
        UNION ALL
        SELECT
            reporting.division_id,
            (SELECT first.cell_id FROM core.cell_name AS first WHERE first.channel_id = 0 ORDER BY first.position LIMIT 1),
            CASE WHEN reporting.reported > 0 THEN 0 END
        FROM reporting
        WHERE (reporting.expected > 0 OR reporting.reported > 0)
            AND NOT EXISTS (SELECT FROM figure WHERE figure.division_id = reporting.division_id)
    ),

    beside AS (
        SELECT
            reporting.division_code, reporting.division_name, reporting.level, reporting.parent_code, shown.cell_id,
            shown.value, reporting.expected, reporting.received, reporting.is_provisional,
            coalesce(before.value, CASE WHEN before_reporting.nil_levels & known.levels <> 0 THEN 0 END)
                AS value_previous,
            coalesce(past.value, CASE WHEN past_reporting.nil_levels & known.levels <> 0 THEN 0 END) AS value_last_year,
            coalesce(mart.is_provisional(previous, before_reporting.expected, before_reporting.received), true)
                AS is_previous_provisional,
            coalesce(mart.is_provisional(last_year, past_reporting.expected, past_reporting.received), true)
                AS is_last_year_provisional,
            coalesce(year_to_date.value, CASE WHEN year_reporting.nil_levels & known.levels <> 0 THEN 0 END) AS ytd
        FROM shown
        JOIN reporting ON reporting.division_id = shown.division_id
        JOIN core.cell_name AS known ON known.cell_id = shown.cell_id
        LEFT JOIN mart.period_figure_of(previous.period_id, few) AS before
            ON before.division_id = shown.division_id AND before.cell_id = shown.cell_id
            AND before.cell_id = ANY(cells)
        LEFT JOIN mart.period_reporting AS before_reporting
            ON before_reporting.period_id = previous.period_id AND before_reporting.division_id = shown.division_id
            AND (few IS NULL OR before_reporting.division_id = ANY(few))
        LEFT JOIN mart.period_figure_of(last_year.period_id, few) AS past
            ON past.division_id = shown.division_id AND past.cell_id = shown.cell_id
            AND past.cell_id = ANY(cells)
        LEFT JOIN mart.period_reporting AS past_reporting
            ON past_reporting.period_id = last_year.period_id AND past_reporting.division_id = shown.division_id
            AND (few IS NULL OR past_reporting.division_id = ANY(few))
        LEFT JOIN mart.period_figure_of(to_date_id, few) AS year_to_date
            ON year_to_date.division_id = shown.division_id AND year_to_date.cell_id = shown.cell_id
            AND year_to_date.cell_id = ANY(cells)
        LEFT JOIN mart.period_reporting AS year_reporting
            ON year_reporting.period_id = to_date_id AND year_reporting.division_id = shown.division_id
            AND (few IS NULL OR year_reporting.division_id = ANY(few))
        WHERE shown.cell_id = ANY(cells)
    )

    SELECT
        beside.division_code,
        beside.division_name,
        beside.level,
        beside.parent_code,
        this.period,
        known.measure,
        known.channel,
        beside.value,
        beside.value_previous,
        beside.value_last_year,
        CASE WHEN NOT (beside.is_provisional OR beside.is_previous_provisional)
            THEN beside.value / nullif(beside.value_previous, 0)::numeric - 1
        END,
        CASE WHEN NOT (beside.is_provisional OR beside.is_last_year_provisional)
            THEN beside.value / nullif(beside.value_last_year, 0)::numeric - 1
        END,
        beside.ytd,
        beside.expected,
        beside.received,
        beside.is_provisional,
        known.measure_name,
        known.channel_name,
        known.unit
    FROM beside
    JOIN core.cell_name AS known ON known.cell_id = beside.cell_id;

    -- Stocks: the period's last month, nothing added up over time.
    RETURN QUERY
    WITH stock AS (
        SELECT
            figure.division_id, figure.cell_id, figure.value, figure.units_expected, figure.units_reported,
            coalesce(figure.units_reported < this.provisional_below * figure.units_expected, false) AS is_provisional,
            before.value AS value_previous,
            coalesce(before.units_reported < this.provisional_below * before.units_expected, true)
                AS is_previous_provisional,
            past.value AS value_last_year,
            coalesce(past.units_reported < this.provisional_below * past.units_expected, true)
                AS is_last_year_provisional
        FROM mart.stock_figure AS figure
        LEFT JOIN mart.stock_figure AS before
            ON before.stat_date = this.starts_on - 1
            AND before.division_id = figure.division_id AND before.cell_id = figure.cell_id
            AND (of_divisions IS NULL OR before.division_id = ANY(of_divisions))
        LEFT JOIN mart.stock_figure AS past
            ON past.stat_date = (date_trunc('month', this.ends_on - interval '1 year') + interval '1 month - 1 day')::date
            AND past.division_id = figure.division_id AND past.cell_id = figure.cell_id
            AND (of_divisions IS NULL OR past.division_id = ANY(of_divisions))
        WHERE figure.stat_date = this.ends_on AND (of_divisions IS NULL OR figure.division_id = ANY(of_divisions))
            AND figure.cell_id = ANY(cells)
    )

    SELECT
        division.division_code, place.division_name, place.level, parent.division_code, this.period, known.measure,
        known.channel, stock.value::bigint, stock.value_previous::bigint, stock.value_last_year::bigint,
        CASE WHEN NOT (stock.is_provisional OR stock.is_previous_provisional)
            THEN stock.value / nullif(stock.value_previous, 0)::numeric - 1
        END,
        CASE WHEN NOT (stock.is_provisional OR stock.is_last_year_provisional)
            THEN stock.value / nullif(stock.value_last_year, 0)::numeric - 1
        END,
        NULL::bigint, stock.units_expected::integer, stock.units_reported::integer, stock.is_provisional,
        known.measure_name, known.channel_name, known.unit
    FROM stock
    JOIN core.division
        ON division.division_id = stock.division_id
        AND (of_divisions IS NULL OR division.division_id = ANY(of_divisions))
    JOIN core.division_period AS place
        ON place.division_id = stock.division_id
        AND place.valid_from <= this.ends_on AND this.ends_on < place.valid_to
        AND (of_divisions IS NULL OR place.division_id = ANY(of_divisions))
    LEFT JOIN core.division AS parent
        ON parent.division_id = place.parent_id AND (of_divisions IS NULL OR parent.division_id = ANY(parents))
    JOIN core.cell_name AS known ON known.cell_id = stock.cell_id
    WHERE of_level IS NULL OR place.level = of_level;
END
$$;

-- The same for readers: as its owner sees it, without what surveys brought.
CREATE FUNCTION mart.period_statistics_shown(
    name text, of_level text, of_divisions integer[], of_measures text[] DEFAULT NULL
)
RETURNS TABLE (
    division_code text, division_name text, level text, parent_code text, period text, measure text, channel text,
    value bigint, value_previous bigint, value_last_year bigint, mom numeric, yoy numeric, ytd bigint, expected integer,
    received integer, is_provisional boolean, measure_name text, channel_name text, unit text
)
LANGUAGE plpgsql STABLE ROWS 100000 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT statistic.*
    FROM mart.period_statistics_of(name, of_level, of_divisions, of_measures) AS statistic
    WHERE statistic.measure IN (SELECT known.measure FROM core.measure AS known WHERE known.kind IN ('flow', 'stock'));
END
$$;

-- A reader has no right to what the function below the view reads, and gets the one made for readers.
CREATE OR REPLACE VIEW mart.period_statistics WITH (security_barrier) AS
SELECT
    statistic.division_code, statistic.division_name, level.level, statistic.parent_code, period.period,
    statistic.measure, statistic.channel, statistic.value, statistic.value_previous, statistic.value_last_year,
    statistic.mom, statistic.yoy, statistic.ytd, statistic.expected, statistic.received, statistic.is_provisional,
    statistic.measure_name, statistic.channel_name, statistic.unit
FROM mart.period
CROSS JOIN core.level
CROSS JOIN LATERAL mart.period_statistics_of(period.period, level.level, NULL) AS statistic
WHERE period.kind IN ('month', 'quarter', 'year') AND period.totalled_at IS NOT NULL AND (SELECT mart.may_see_survey())
UNION ALL
SELECT
    statistic.division_code, statistic.division_name, level.level, statistic.parent_code, period.period,
    statistic.measure, statistic.channel, statistic.value, statistic.value_previous, statistic.value_last_year,
    statistic.mom, statistic.yoy, statistic.ytd, statistic.expected, statistic.received, statistic.is_provisional,
    statistic.measure_name, statistic.channel_name, statistic.unit
FROM mart.period
CROSS JOIN core.level
CROSS JOIN LATERAL mart.period_statistics_shown(period.period, level.level, NULL) AS statistic
WHERE period.kind IN ('month', 'quarter', 'year') AND period.totalled_at IS NOT NULL AND NOT (SELECT mart.may_see_survey());

DROP FUNCTION mart.period_statistics_of(text, text);

-- A measure of a division, period by period; what it owes and reported nil is 0. Nothing of surveys.
CREATE FUNCTION mart.trend_shown(of_division integer, of_measure text, of_periods integer[])
RETURNS TABLE (period_id integer, channel text, value bigint, is_provisional boolean)
LANGUAGE plpgsql STABLE ROWS 100 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off AS $$
#variable_conflict use_column
DECLARE
    of_kind text;
    cells smallint[];
BEGIN
    SELECT known.kind INTO of_kind FROM core.measure AS known WHERE known.measure = of_measure;
    cells := ARRAY(SELECT known.cell_id FROM core.cell_name AS known WHERE known.measure = of_measure);
    IF of_kind = 'flow' THEN
        RETURN QUERY
        WITH reporting AS MATERIALIZED (
            SELECT here.period_id, here.is_leaf, here.expected, here.received, here.nil_levels
            FROM mart.period_reporting AS here
            WHERE here.period_id = ANY(of_periods) AND here.division_id = of_division
        ),

        own AS MATERIALIZED (
            SELECT own.period_id, own.cell_id, own.value
            FROM mart.period_own AS own
            JOIN reporting ON reporting.period_id = own.period_id AND reporting.is_leaf
            WHERE own.period_id = ANY(of_periods) AND own.unit_id = of_division AND own.cell_id = ANY(cells)
        ),

        figure AS (
            SELECT total.period_id, total.cell_id, total.value
            FROM mart.period_total AS total
            WHERE total.period_id = ANY(of_periods) AND total.division_id = of_division AND total.cell_id = ANY(cells)
            UNION ALL
            SELECT own.period_id, own.cell_id, own.value
            FROM own
            UNION ALL
            SELECT own.period_id, known.all_cell_id, sum(own.value)::bigint
            FROM own
            JOIN core.cell_name AS known ON known.cell_id = own.cell_id
            GROUP BY own.period_id, known.all_cell_id
        )

        SELECT
            reporting.period_id, known.channel,
            coalesce(figure.value, CASE WHEN reporting.nil_levels & known.levels <> 0 THEN 0 END),
            mart.is_provisional(of_period, reporting.expected, reporting.received)
        FROM reporting
        JOIN mart.period AS of_period
            ON of_period.period_id = reporting.period_id AND of_period.totalled_at IS NOT NULL
        CROSS JOIN core.cell_name AS known
        LEFT JOIN figure ON figure.period_id = reporting.period_id AND figure.cell_id = known.cell_id
        WHERE known.measure = of_measure;
    ELSIF of_kind = 'stock' THEN
        RETURN QUERY
        SELECT
            period.period_id, known.channel, figure.value::bigint,
            coalesce(figure.units_reported < period.provisional_below * figure.units_expected, false)
        FROM mart.period AS period
        JOIN mart.stock_figure AS figure ON figure.stat_date = period.ends_on
        JOIN core.cell_name AS known ON known.cell_id = figure.cell_id
        WHERE period.period_id = ANY(of_periods) AND period.totalled_at IS NOT NULL AND known.measure = of_measure
            AND figure.division_id = of_division AND figure.cell_id = ANY(cells)
            AND figure.stat_date = ANY(ARRAY(
                SELECT wanted.ends_on FROM mart.period AS wanted WHERE wanted.period_id = ANY(of_periods)
            ));
    END IF;
END
$$;

-- One row per unit, data set and day, of all units or of some, as it stood and was known at a moment. Judged by the arrival of the first submission
-- that was accepted, whatever was sent later. The status of an expected unit that has sent nothing is null until its
-- cut-off has passed. A unit that is not expected is not_expected, also when it reports.
CREATE FUNCTION mart.submission_status_among(moment timestamptz, of_units integer[])
RETURNS TABLE (
    unit_code text, unit_name text, level text, parent_code text, dataset text, stat_date date, is_expected boolean,
    received_at timestamptz, revision bigint, is_nil boolean, status text, due_at timestamptz, cutoff_at timestamptz,
    is_partial boolean, is_restated boolean
)
LANGUAGE sql STABLE ROWS 100000 AS $$
    SELECT
        division.division_code,
        period.division_name,
        period.level,
        parent.division_code,
        unit.dataset,
        unit.stat_date,
        unit.due_at IS NOT NULL,
        CASE WHEN unit.is_received THEN unit.received_at END,
        unit.revision,
        unit.is_received AND unit.is_nil,
        CASE
            WHEN unit.due_at IS NULL THEN 'not_expected'
            WHEN unit.is_received AND unit.received_at <= unit.due_at THEN 'on_time'
            WHEN unit.is_received AND unit.received_at <= unit.cutoff_at THEN 'late'
            WHEN unit.is_received THEN 'late_after_cutoff'
            WHEN held.unit_code IS NOT NULL THEN 'rejected'
            WHEN unit.cutoff_at < moment THEN 'missing'
        END,
        unit.due_at,
        unit.cutoff_at,
        unit.is_received AND (
            NOT unit.owed <@ unit.platforms
            OR NOT unit.has_nil AND EXISTS (
                SELECT FROM core.measure
                WHERE measure.is_required AND period.level = ANY(measure.levels)
                    AND (measure.kind = 'stock') = (unit.dataset = 'stocks')
                    AND NOT EXISTS (
                        SELECT FROM core.submission
                        WHERE submission.stat_date = unit.stat_date AND submission.unit_id = unit.unit_id
                            AND submission.dataset = unit.dataset AND submission.known_from <= moment
                            AND (moment < submission.known_to OR submission.known_to = 'infinity')
                            AND submission.cells
                            && ARRAY(SELECT cell.cell_id FROM core.cell WHERE cell.measure_id = measure.measure_id)
                    )
            )
        ),
        unit.is_received AND unit.is_restated
    FROM (
        SELECT
            part.stat_date,
            part.dataset,
            part.unit_id,
            min(part.received_at) AS received_at,
            max(part.revision) AS revision,
            coalesce(bool_or(part.revision IS NOT NULL), false) AS is_received,
            coalesce(bool_and(part.is_nil), false) AS is_nil,
            coalesce(bool_or(part.is_nil), false) AS has_nil,
            coalesce(bool_or(part.restated_at IS NOT NULL AND NOT part.is_provisional), false)
            OR coalesce(
                max(part.restated_at) FILTER (WHERE part.is_provisional) > coalesce(max(part.cutoff_at), '-infinity'),
                false
            ) AS is_restated,
            coalesce(max(part.owed), '{}') AS owed,
            coalesce(array_agg(part.platform_id) FILTER (WHERE part.revision IS NOT NULL), '{}') AS platforms,
            max(part.due_at) AS due_at,
            max(part.cutoff_at) AS cutoff_at
        FROM (
            SELECT
                expected.stat_date, expected.dataset, owing.unit_id, expected.platform_ids AS owed, expected.due_at,
                expected.cutoff_at, NULL::smallint AS platform_id, NULL::timestamptz AS received_at,
                NULL::bigint AS revision, NULL::boolean AS is_nil, NULL::timestamptz AS restated_at,
                false AS is_provisional
            FROM core.expected_day AS expected
            CROSS JOIN LATERAL unnest(expected.unit_ids) AS owing (unit_id)
            WHERE (of_units IS NULL OR owing.unit_id = ANY(of_units)) AND expected.known_from <= moment
                AND (moment < expected.known_to OR expected.known_to = 'infinity')
            UNION ALL
            -- The current submission says what counts, every one that was accepted when the unit first reported.
            SELECT
                sent.stat_date, sent.dataset, sent.unit_id, NULL, NULL, NULL, sent.platform_id,
                CASE WHEN NOT sent.is_withdrawn THEN sent.received_at END,
                CASE WHEN current.yes AND NOT sent.is_withdrawn THEN sent.revision END,
                CASE WHEN current.yes AND NOT sent.is_withdrawn THEN sent.is_nil END,
                CASE WHEN before.unit_id IS NOT NULL THEN sent.received_at END,
                -- A 7×24 sender's day is provisional until its cut-off (ruling 2).
                platform.is_everyday AND sent.dataset = 'daily'
            FROM core.submission AS sent
            JOIN core.platform ON platform.platform_id = sent.platform_id
            LEFT JOIN core.submission AS before
                ON before.stat_date = sent.stat_date AND before.unit_id = sent.unit_id
                AND before.dataset = sent.dataset AND before.platform_id = sent.platform_id
                AND before.known_to = sent.known_from AND before.known_to < 'infinity'
                AND before.revision < sent.revision
            CROSS JOIN LATERAL (
                SELECT moment < sent.known_to OR sent.known_to = 'infinity' AS yes
            ) AS current
            WHERE (of_units IS NULL OR sent.unit_id = ANY(of_units)) AND sent.known_from <= moment
        ) AS part
        GROUP BY part.stat_date, part.dataset, part.unit_id
    ) AS unit
    JOIN core.division ON division.division_id = unit.unit_id
    JOIN core.division_period_as_of(moment) AS period
        ON period.division_id = unit.unit_id
        AND period.valid_from <= unit.stat_date AND unit.stat_date < period.valid_to
    LEFT JOIN core.division AS parent ON parent.division_id = period.parent_id
    LEFT JOIN quality.held_unit_as_of(moment) AS held
        ON held.stat_date = unit.stat_date AND held.dataset = unit.dataset AND held.unit_code = division.division_code
$$;

CREATE OR REPLACE FUNCTION mart.submission_status_as_of(moment timestamptz)
RETURNS TABLE (
    unit_code text, unit_name text, level text, parent_code text, dataset text, stat_date date, is_expected boolean,
    received_at timestamptz, revision bigint, is_nil boolean, status text, due_at timestamptz, cutoff_at timestamptz,
    is_partial boolean, is_restated boolean
)
LANGUAGE sql STABLE ROWS 100000 AS $$
    SELECT status.* FROM mart.submission_status_among(moment, NULL) AS status
$$;

-- Of some units on a day, as it stands, for readers.
CREATE FUNCTION mart.submission_status_shown(day date, of_dataset text, of_units integer[])
RETURNS TABLE (
    unit_code text, unit_name text, level text, parent_code text, dataset text, stat_date date, is_expected boolean,
    received_at timestamptz, revision bigint, is_nil boolean, status text, due_at timestamptz, cutoff_at timestamptz,
    is_partial boolean, is_restated boolean
)
LANGUAGE plpgsql STABLE ROWS 100 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT status.*
    FROM mart.submission_status_among(statement_timestamp(), of_units) AS status
    WHERE status.stat_date = day AND status.dataset = of_dataset;
END
$$;

-- Who reported what is not kept by division is counted from submissions, which readers may not read.
ALTER FUNCTION mart.reporting_of(text, date) SECURITY DEFINER SET search_path = pg_catalog, pg_temp;

-- Divisions in each stretch of time in which name, level and parent stay the same; valid_to is exclusive.
CREATE VIEW mart.division AS
SELECT
    place.division_id, division.division_code, place.division_name, place.level, level.depth, place.parent_id,
    parent.division_code AS parent_code, place.valid_from, place.valid_to
FROM core.division_period AS place
JOIN core.division ON division.division_id = place.division_id
JOIN core.level ON level.level = place.level
LEFT JOIN core.division AS parent ON parent.division_id = place.parent_id;

CREATE VIEW mart.measure AS
SELECT measure.measure, measure.measure_name, measure.unit, measure.kind, measure.position
FROM core.measure
WHERE measure.kind IN ('flow', 'stock');

CREATE VIEW mart.channel AS
SELECT channel.channel, channel.channel_name FROM core.channel;

CREATE VIEW mart.indicator_name AS
SELECT
    indicator.indicator, version.indicator_name, version.unit, version.kind,
    version.declaration ->> 'direction' AS direction
FROM core.indicator
JOIN core.indicator_version AS version
    ON version.indicator_id = indicator.indicator_id AND version.known_to = 'infinity';

-- --- survey figures in indicators and evaluation ------------------------------------------------------------------------

-- Indicators whose formula, in the words of the catalogue, names a measure of the survey.
CREATE VIEW core.survey_indicator AS
SELECT version.indicator_id
FROM core.indicator_version AS version
WHERE version.known_to = 'infinity' AND string_to_array(
    regexp_replace(version.declaration ->> 'formula', '[^a-z0-9_]+', ' ', 'g'), ' '
) && ARRAY(SELECT measure.measure FROM core.measure WHERE measure.kind IN ('survey', 'carried'));

-- Whether who asks may see an indicator's figures: those that rest on surveys are seen where mart.satisfaction shows the
-- division's survey of the period, over all channels.
CREATE VIEW mart.indicator_figure_shown AS
SELECT
    figure.period_id, figure.division_id, figure.indicator_id, seen.numerator, seen.denominator, seen.value,
    CASE WHEN seen.period_id IS NULL THEN 'no_data' ELSE seen.status END AS status,
    figure.completeness, figure.is_provisional,
    CASE WHEN seen.period_id IS NULL THEN '满意度样本不足，不予公布' ELSE seen.note_zh END AS note_zh
FROM mart.indicator_figure AS figure
LEFT JOIN mart.indicator_figure AS seen
    ON seen.period_id = figure.period_id AND seen.division_id = figure.division_id
    AND seen.indicator_id = figure.indicator_id AND (
        (SELECT mart.may_see_survey())
        OR seen.indicator_id NOT IN (SELECT survey.indicator_id FROM core.survey_indicator AS survey)
        OR EXISTS (
            SELECT FROM mart.satisfaction_figure AS asked
            JOIN mart.satisfaction_rule AS rule ON rule.period_id = asked.period_id
            WHERE asked.period_id = seen.period_id AND asked.division_id = seen.division_id
                AND asked.channel_id = 0 AND NOT asked.is_hidden AND asked.answered >= rule.fewest_shown
        )
    );

-- One row per division, period and indicator. Ratios: 1 is 100 %. mom and yoy: volumes as ratio - 1, rates as difference;
-- null beside a provisional value and where the base is missing or zero. ytd: of the year up to the period's end. target of a
-- trend: last year's value. gap: below zero is how much the target is missed by. status: met, not_met, not_applicable (nothing
-- to divide by), no_data; null where there is a value and no target.
-- The portal asks by the numbers of period and divisions, with which the figures are found at once.
CREATE VIEW mart.indicator_value_by_id AS
WITH comparison AS (
    SELECT
        period.period_id,
        period.period,
        period.kind,
        period.ends_on,
        previous.period_id AS previous_id,
        last_year.period_id AS last_year_id,
        to_date.period_id AS to_date_id
    FROM mart.period
    LEFT JOIN mart.period AS previous ON previous.kind = period.kind AND previous.ends_on = period.starts_on - 1
    LEFT JOIN mart.period AS last_year
        ON last_year.kind = period.kind AND last_year.starts_on = (period.starts_on - interval '1 year')::date
    LEFT JOIN mart.period AS to_date
        ON to_date.kind = 'to_date' AND to_date.ends_on = period.ends_on AND period.kind <> 'day'
    WHERE period.kind <> 'to_date'
),

held AS (
    SELECT
        figure.*,
        comparison.period,
        comparison.ends_on,
        place.division_name,
        place.level,
        place.parent_id,
        version.position,
        version.indicator_name,
        version.unit,
        version.kind,
        version.nature,
        version.source,
        previous.value AS value_previous,
        last_year.value AS value_last_year,
        CASE WHEN NOT figure.is_provisional AND NOT previous.is_provisional THEN nullif(previous.value, 0) END AS base,
        CASE WHEN NOT figure.is_provisional AND NOT last_year.is_provisional THEN nullif(last_year.value, 0) END
            AS base_last_year,
        to_date.value AS ytd,
        target.trend,
        target.is_lower_better,
        CASE
            WHEN target.trend IS NULL THEN target.value
            WHEN NOT figure.is_provisional AND NOT last_year.is_provisional THEN last_year.value
        END AS target
    FROM mart.indicator_figure_shown AS figure
    JOIN comparison ON comparison.period_id = figure.period_id
    JOIN core.division_period AS place
        ON place.division_id = figure.division_id
        AND place.valid_from <= comparison.ends_on AND comparison.ends_on < place.valid_to
    JOIN core.indicator_version AS version
        ON version.indicator_id = figure.indicator_id AND version.known_to = 'infinity'
    LEFT JOIN mart.indicator_figure_shown AS previous
        ON previous.period_id = comparison.previous_id AND previous.division_id = figure.division_id
        AND previous.indicator_id = figure.indicator_id
    LEFT JOIN mart.indicator_figure_shown AS last_year
        ON last_year.period_id = comparison.last_year_id AND last_year.division_id = figure.division_id
        AND last_year.indicator_id = figure.indicator_id
    LEFT JOIN mart.indicator_figure_shown AS to_date
        ON to_date.period_id = comparison.to_date_id AND to_date.division_id = figure.division_id
        AND to_date.indicator_id = figure.indicator_id
    LEFT JOIN core.indicator_target AS target
        ON target.indicator_id = figure.indicator_id AND target.known_to = 'infinity' AND target.level = place.level
        AND target.valid_from <= comparison.ends_on AND comparison.ends_on <= target.valid_to
        AND (comparison.kind = 'year' OR NOT version.is_of_whole_years)
)

SELECT
    held.period_id,
    held.division_id,
    division.division_code,
    held.division_name,
    held.level,
    parent.division_code AS parent_code,
    held.period,
    indicator.indicator,
    held.indicator_name,
    held.numerator,
    held.denominator,
    held.value,
    held.unit,
    held.value_previous,
    held.value_last_year,
    CASE held.kind WHEN 'rate' THEN held.value - held.base ELSE held.value / held.base - 1 END AS mom,
    CASE held.kind WHEN 'rate' THEN held.value - held.base_last_year ELSE held.value / held.base_last_year - 1 END AS yoy,
    held.ytd,
    held.target,
    CASE
        WHEN held.is_lower_better THEN held.target / nullif(held.value, 0)
        ELSE held.value / nullif(held.target, 0)
    END AS attainment,
    CASE WHEN held.is_lower_better THEN held.target - held.value ELSE held.value - held.target END AS gap,
    CASE
        WHEN held.value IS NULL THEN held.status
        WHEN held.is_lower_better IS NULL THEN NULL
        WHEN held.target IS NULL THEN 'no_data'
        WHEN held.trend = 'rising'
            THEN CASE WHEN held.value > held.target OR held.kind = 'rate' AND held.value >= 1 THEN 'met' ELSE 'not_met' END
        WHEN held.trend = 'falling'
            THEN CASE WHEN held.value < held.target OR held.value = 0 THEN 'met' ELSE 'not_met' END
        WHEN held.is_lower_better THEN CASE WHEN held.value <= held.target THEN 'met' ELSE 'not_met' END
        ELSE CASE WHEN held.value >= held.target THEN 'met' ELSE 'not_met' END
    END AS status,
    held.nature,
    held.source,
    held.is_provisional,
    held.completeness,
    held.note_zh,
    held.position
FROM held
JOIN core.division ON division.division_id = held.division_id
JOIN core.indicator ON indicator.indicator_id = held.indicator_id
LEFT JOIN core.division AS parent ON parent.division_id = held.parent_id;

CREATE OR REPLACE VIEW mart.indicator_value AS
SELECT
    shown.division_code,
    shown.division_name,
    shown.level,
    shown.parent_code,
    shown.period,
    shown.indicator,
    shown.indicator_name,
    shown.numerator,
    shown.denominator,
    shown.value,
    shown.unit,
    shown.value_previous,
    shown.value_last_year,
    shown.mom,
    shown.yoy,
    shown.ytd,
    shown.target,
    shown.attainment,
    shown.gap,
    shown.status,
    shown.nature,
    shown.source,
    shown.is_provisional,
    shown.completeness,
    shown.note_zh,
    shown.position
FROM mart.indicator_value_by_id AS shown;

-- A score with a part that may not be seen would give it away: neither it nor its grade and ranks are shown.
CREATE VIEW mart.evaluation_hidden AS
SELECT DISTINCT part.period_id, part.scheme_id, part.division_id
FROM mart.evaluation_part AS part
WHERE part.indicator_id IN (SELECT survey.indicator_id FROM core.survey_indicator AS survey)
    AND NOT (SELECT mart.may_see_survey())
    AND NOT EXISTS (
        SELECT FROM mart.satisfaction_figure AS asked
        JOIN mart.satisfaction_rule AS rule ON rule.period_id = asked.period_id
        WHERE asked.period_id = part.period_id AND asked.division_id = part.division_id
            AND asked.channel_id = 0 AND NOT asked.is_hidden AND asked.answered >= rule.fewest_shown
    );

CREATE OR REPLACE VIEW mart.evaluation AS
SELECT
    division.division_code,
    place.division_name,
    score.level,
    parent.division_code AS parent_code,
    period.period,
    scheme.scheme,
    CASE WHEN seen.yes THEN score.score END AS score,
    CASE WHEN seen.yes THEN score.grade END AS grade,
    CASE WHEN seen.yes THEN score.rank_in_parent END AS rank_in_parent,
    CASE WHEN seen.yes THEN score.rank_in_province END AS rank_in_province,
    score.is_provisional,
    score.is_vetoed,
    score.bonus,
    score.deduction,
    score.items_scored,
    score.items_missing,
    score.items_not_applicable,
    version.scheme_name,
    version.version AS scheme_version,
    run.digest,
    run.evaluated_at
FROM mart.evaluation_score AS score
JOIN mart.period AS period ON period.period_id = score.period_id
JOIN mart.evaluation_run AS run ON run.period_id = score.period_id AND run.scheme_id = score.scheme_id
JOIN core.scheme AS scheme ON scheme.scheme_id = score.scheme_id
JOIN core.scheme_version AS version ON version.scheme_version_id = run.scheme_version_id
JOIN core.division AS division ON division.division_id = score.division_id
JOIN core.division_period AS place
    ON place.division_id = score.division_id
    AND place.valid_from <= period.ends_on AND period.ends_on < place.valid_to
LEFT JOIN core.division AS parent ON parent.division_id = score.parent_id
CROSS JOIN LATERAL (
    SELECT (SELECT mart.may_see_survey()) OR NOT EXISTS (
        SELECT FROM mart.evaluation_hidden AS hidden
        WHERE hidden.period_id = score.period_id AND hidden.scheme_id = score.scheme_id
            AND hidden.division_id = score.division_id
    ) AS yes
) AS seen;

CREATE OR REPLACE VIEW mart.evaluation_item AS
SELECT
    division.division_code,
    place.division_name,
    part.level,
    parent.division_code AS parent_code,
    period.period,
    scheme.scheme,
    indicator.indicator,
    rule.position,
    rule.category,
    rule.aspect,
    rule.weight,
    part.effective_weight,
    rule.method,
    CASE WHEN seen.yes THEN part.numerator END AS numerator,
    CASE WHEN seen.yes THEN part.denominator END AS denominator,
    CASE WHEN seen.yes THEN part.value END AS value,
    rule.target,
    part.status,
    part.is_provisional,
    CASE WHEN seen.yes THEN part.points END AS points,
    CASE WHEN seen.yes THEN part.score END AS score,
    CASE WHEN seen.yes THEN mart.score_reason(rule, part) ELSE '满意度样本不足，不予公布' END AS reason
FROM mart.evaluation_part AS part
JOIN mart.evaluation_rule AS rule
    ON rule.period_id = part.period_id AND rule.scheme_id = part.scheme_id AND rule.level = part.level
    AND rule.indicator_id = part.indicator_id
JOIN mart.period AS period ON period.period_id = part.period_id
JOIN core.scheme AS scheme ON scheme.scheme_id = part.scheme_id
JOIN core.indicator AS indicator ON indicator.indicator_id = part.indicator_id
JOIN core.division AS division ON division.division_id = part.division_id
JOIN core.division_period AS place
    ON place.division_id = part.division_id
    AND place.valid_from <= period.ends_on AND period.ends_on < place.valid_to
LEFT JOIN core.division AS parent ON parent.division_id = place.parent_id
CROSS JOIN LATERAL (
    SELECT
        (SELECT mart.may_see_survey())
        OR part.indicator_id NOT IN (SELECT survey.indicator_id FROM core.survey_indicator AS survey)
        OR EXISTS (
            SELECT FROM mart.satisfaction_figure AS asked
            JOIN mart.satisfaction_rule AS asked_rule ON asked_rule.period_id = asked.period_id
            WHERE asked.period_id = part.period_id AND asked.division_id = part.division_id
                AND asked.channel_id = 0 AND NOT asked.is_hidden AND asked.answered >= asked_rule.fewest_shown
        ) AS yes
) AS seen;

CREATE VIEW mart.evidence AS
SELECT
    division.division_code, period.period, scheme.scheme, evidence.evidence, evidence.kind, evidence.points,
    evidence.reason, evidence.file, evidence.sha256
FROM mart.evaluation_evidence AS evidence
JOIN mart.period ON period.period_id = evidence.period_id
JOIN core.scheme ON scheme.scheme_id = evidence.scheme_id
JOIN core.division ON division.division_id = evidence.division_id;

-- --- quality, provenance ------------------------------------------------------------------------------------------------

-- Whether a text or a row speaks of the survey: its words may hold single answers.
CREATE FUNCTION quality.speaks_of_survey(words text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM core.measure
        WHERE measure.kind IN ('survey', 'carried')
            AND (strpos(words, measure.measure) > 0 OR strpos(words, measure.measure_name) > 0)
    )
$$;

-- A division and all below it on a day.
CREATE FUNCTION mart.division_below(of_division integer, day date) RETURNS TABLE (division_id integer)
LANGUAGE plpgsql STABLE ROWS 1000 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH RECURSIVE below AS (
        SELECT of_division AS division_id
        UNION ALL
        SELECT place.division_id
        FROM below
        JOIN core.division_period AS place ON place.parent_id = below.division_id
        WHERE place.valid_from <= day AND day < place.valid_to
    )

    SELECT below.division_id FROM below;
END
$$;

-- Rows held back, without what they hold.
CREATE VIEW mart.quarantined_row AS
SELECT
    quarantine.quarantine_id, quarantine.batch_id, platform.platform, batch.dataset, batch.source_name,
    batch.stat_date AS batch_date, quarantine.row_number, quarantine.unit_code, quarantine.stat_date,
    quarantine.reason_code,
    CASE
        WHEN quality.speaks_of_survey(quarantine.reason || quarantine.raw::text) THEN '满意度数据，详情见隔离台'
        ELSE quarantine.reason
    END AS reason,
    quarantine.state
FROM quality.quarantine
JOIN landing.batch ON batch.batch_id = quarantine.batch_id
JOIN core.platform ON platform.platform_id = batch.platform_id;

CREATE VIEW mart.flag AS
SELECT
    flag.flag_id, flag.batch_id, platform.platform, flag.unit_code, flag.stat_date, flag.check_code,
    CASE WHEN quality.speaks_of_survey(flag.message) THEN '满意度数据，详情见质量台账' ELSE flag.message END AS message,
    flag.state
FROM quality.flag
JOIN landing.batch ON batch.batch_id = flag.batch_id
JOIN core.platform ON platform.platform_id = batch.platform_id;

CREATE VIEW mart.platform_area AS
SELECT platform.platform, area.division_code
FROM core.platform
CROSS JOIN LATERAL unnest(platform.area) AS area (division_code);

-- The days of a period at one division: its figure of a measure and channel where there is one. Nothing of surveys.
CREATE FUNCTION mart.figure_days_shown(first_day date, last_day date, of_division integer, of_measure text, of_channel text)
RETURNS TABLE (stat_date date, value bigint, units_expected integer, units_reported integer)
LANGUAGE plpgsql STABLE ROWS 30 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    of_cell smallint;
    own_cells smallint[];
BEGIN
    SELECT cell.cell_id INTO of_cell
    FROM core.cell_name AS cell
    WHERE cell.measure = of_measure AND cell.channel = of_channel AND cell.kind = 'flow';
    own_cells := ARRAY(
        SELECT cell.cell_id
        FROM core.cell_name AS cell
        WHERE cell.measure = of_measure AND cell.kind = 'flow' AND of_channel IN (cell.channel, 'all')
    );
    RETURN QUERY
    SELECT reporting.stat_date, coalesce(total.value, own.value), reporting.units_expected, reporting.units_reported
    FROM mart.daily_reporting AS reporting
    LEFT JOIN mart.daily_total AS total
        ON total.stat_date = reporting.stat_date AND total.division_id = of_division AND total.cell_id = of_cell
        AND total.stat_date BETWEEN first_day AND last_day AND NOT reporting.is_leaf
    LEFT JOIN LATERAL (
        SELECT sum(count.value)::bigint AS value
        FROM core.daily_count AS count
        WHERE reporting.is_leaf AND count.stat_date = reporting.stat_date AND count.unit_id = of_division
            AND count.stat_date BETWEEN first_day AND last_day AND count.cell_id = ANY(own_cells)
    ) AS own ON true
    WHERE reporting.division_id = of_division AND reporting.stat_date BETWEEN first_day AND last_day
        AND coalesce(total.value, own.value) IS NOT NULL;
END
$$;

DO $$
DECLARE
    shown text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pls_reader') THEN
        RETURN;
    END IF;
    FOREACH shown IN ARRAY ARRAY[
        'period', 'period_reporting', 'daily_reporting', 'daily_rollup', 'division', 'measure', 'channel', 'indicator_name', 'indicator_value', 'indicator_value_by_id', 'indicator_value_by_id',
        'evaluation', 'evaluation_item', 'evidence', 'quarantined_row', 'flag', 'platform_area'
    ] LOOP
        EXECUTE format('GRANT SELECT ON mart.%I TO pls_reader', shown);
    END LOOP;
END
$$;
