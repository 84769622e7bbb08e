-- Citus (docs/howto/citus.md) plans no WITH RECURSIVE and few correlated subqueries in a statement that reads facts, and a
-- function in SQL that takes parameters not at all. What climbs divisions or looks facts up row by row stands in functions
-- of its own here; those it leaves alone.

-- Its text is read again: a body that says RETURN is none.
CREATE OR REPLACE FUNCTION core.survey_cells() RETURNS smallint[] LANGUAGE sql STABLE AS $$
    SELECT ARRAY(
        SELECT cell.cell_id FROM core.cell JOIN core.measure USING (measure_id) WHERE measure.kind = 'survey'
    )
$$;

-- A division and all below it, on a day, as known at a moment ('infinity': now).
CREATE FUNCTION core.division_below_as_of(of_code text, day date, moment timestamptz)
RETURNS TABLE (division_id integer, division_name text, level text)
LANGUAGE plpgsql STABLE ROWS 1000 AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH RECURSIVE place AS MATERIALIZED (
        SELECT known.division_id, known.division_name, known.level, known.parent_id
        FROM core.division_period_as_of(moment) AS known
        WHERE known.valid_from <= day AND day < known.valid_to
    ),

    below AS (
        SELECT place.division_id, place.division_name, place.level
        FROM place
        JOIN core.division ON division.division_id = place.division_id
        WHERE division.division_code = of_code
        UNION ALL
        SELECT place.division_id, place.division_name, place.level
        FROM below
        JOIN place ON place.parent_id = below.division_id
    )

    SELECT below.division_id, below.division_name, below.level
    FROM below;
END
$$;

-- A day's submissions that counted at a moment ('infinity': now).
CREATE FUNCTION core.submission_known(day date, of_dataset text, moment timestamptz) RETURNS SETOF core.submission
LANGUAGE plpgsql STABLE ROWS 60000 AS $$
BEGIN
    RETURN QUERY
    SELECT submission.*
    FROM core.submission
    WHERE submission.stat_date = day AND submission.dataset = of_dataset AND submission.known_from <= moment
        AND (moment < submission.known_to OR submission.known_to = 'infinity');
END
$$;

-- When the first submission of a unit for a day came that was not withdrawn.
CREATE FUNCTION core.first_arrival(day date, of_dataset text, of_unit integer) RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (
        SELECT min(submission.received_at)
        FROM core.submission
        WHERE submission.stat_date = day AND submission.unit_id = of_unit AND submission.dataset = of_dataset
            AND NOT submission.is_withdrawn
    );
END
$$;

CREATE OR REPLACE FUNCTION mart.daily_statistics_as_of(moment timestamptz, day date) RETURNS SETOF mart.daily_statistics
LANGUAGE sql STABLE ROWS 100000 AS $$
    WITH RECURSIVE place AS MATERIALIZED (
        SELECT known.division_id, known.division_name, known.level, known.parent_id
        FROM core.division_period_as_of(moment) AS known
        WHERE known.valid_from <= day AND day < known.valid_to
    ),

    sent AS MATERIALIZED (
        SELECT submission.unit_id, submission.cells, submission.figures, submission.is_nil
        FROM core.submission_known(day, 'daily', moment) AS submission
        WHERE NOT submission.is_withdrawn
    ),

    expected AS MATERIALIZED (
        SELECT unnest(expected_day.unit_ids) AS unit_id
        FROM core.expected_day
        WHERE expected_day.stat_date = day AND expected_day.dataset = 'daily' AND expected_day.due_at IS NOT NULL
            AND expected_day.known_from <= moment
            AND (moment < expected_day.known_to OR expected_day.known_to = 'infinity')
    ),

    unit AS (
        SELECT sent.unit_id FROM sent
        UNION
        SELECT expected.unit_id FROM expected
    ),

    -- Each unit counts for itself and for every division above it.
    upward AS (
        SELECT unit.unit_id, place.division_id, place.parent_id
        FROM unit
        JOIN place ON place.division_id = unit.unit_id
        UNION ALL
        SELECT upward.unit_id, place.division_id, place.parent_id
        FROM upward
        JOIN place ON place.division_id = upward.parent_id
    ),

    reporting AS MATERIALIZED (
        SELECT
            upward.division_id,
            count(expected.unit_id)::integer AS units_expected,
            count(sender.unit_id)::integer AS units_reported,
            coalesce(bool_or(sender.has_figures), false) AS has_figures, bool_or(sender.has_nil) AS has_nil
        FROM upward
        LEFT JOIN expected ON expected.unit_id = upward.unit_id
        LEFT JOIN (
            SELECT
                sent.unit_id, bool_or(NOT sent.cells <@ (SELECT core.survey_cells())) AS has_figures,
                bool_or(sent.is_nil) AS has_nil
            FROM sent
            GROUP BY sent.unit_id
        ) AS sender ON sender.unit_id = upward.unit_id
        GROUP BY upward.division_id
    ),

    own AS (
        SELECT sent.unit_id, unnest(sent.cells) AS cell_id, unnest(sent.figures) AS value
        FROM sent
    ),

    summed AS MATERIALIZED (
        SELECT upward.division_id, own.cell_id, sum(own.value)::bigint AS value
        FROM own
        JOIN upward ON upward.unit_id = own.unit_id
        GROUP BY upward.division_id, own.cell_id
    ),

    figure AS (
        SELECT summed.division_id, summed.cell_id, summed.value
        FROM summed
        UNION ALL
        SELECT summed.division_id, all_cell.cell_id, sum(summed.value)::bigint
        FROM summed
        JOIN core.cell USING (cell_id)
        JOIN core.cell AS all_cell ON all_cell.measure_id = cell.measure_id AND all_cell.channel_id = 0
        GROUP BY summed.division_id, all_cell.cell_id
        UNION ALL
        SELECT
            reporting.division_id,
            (
                SELECT cell.cell_id
                FROM core.cell
                JOIN core.measure USING (measure_id)
                WHERE cell.channel_id = 0
                ORDER BY measure.position
                LIMIT 1
            ),
            CASE WHEN reporting.has_nil THEN 0 END
        FROM reporting
        WHERE NOT reporting.has_figures
    )

    SELECT
        division.division_code,
        place.division_name,
        place.level,
        parent.division_code,
        day,
        measure.measure,
        channel.channel,
        figure.value,
        reporting.units_expected,
        reporting.units_reported,
        measure.measure_name,
        channel.channel_name,
        measure.unit
    FROM reporting
    JOIN figure ON figure.division_id = reporting.division_id
    JOIN core.division ON division.division_id = reporting.division_id
    JOIN place ON place.division_id = reporting.division_id
    LEFT JOIN core.division AS parent ON parent.division_id = place.parent_id
    JOIN core.cell ON cell.cell_id = figure.cell_id
    JOIN core.measure ON measure.measure_id = cell.measure_id
    JOIN core.channel ON channel.channel_id = cell.channel_id
$$;

CREATE OR REPLACE VIEW mart.reminder AS
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
CROSS JOIN LATERAL core.first_arrival(alert.stat_date, alert.dataset, unit.unit_id) AS arrival (received_at)
WHERE alert.reason IN ('not_received', 'missing');

-- Whether a unit's submissions of a day, as they counted at a moment, lack a measure that is required at its level.
CREATE FUNCTION core.lacks_required(day date, of_dataset text, of_unit integer, of_level text, moment timestamptz)
RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    brought smallint[];
BEGIN
    SELECT array_agg(cell.cell_id) INTO brought
    FROM core.submission
    CROSS JOIN LATERAL unnest(submission.cells) AS cell (cell_id)
    WHERE submission.stat_date = day AND submission.unit_id = of_unit AND submission.dataset = of_dataset
        AND submission.known_from <= moment AND (moment < submission.known_to OR submission.known_to = 'infinity');
    RETURN EXISTS (
        SELECT 1
        FROM core.measure
        WHERE measure.is_required AND of_level = ANY(measure.levels) AND (measure.kind = 'stock') = (of_dataset = 'stocks')
            AND NOT EXISTS (
                SELECT 1 FROM core.cell WHERE cell.measure_id = measure.measure_id AND cell.cell_id = ANY(brought)
            )
    );
END
$$;

-- How units stood at a moment, some or all, on the days from first_day to last_day.
DROP FUNCTION mart.submission_status_among(timestamptz, integer[]);
CREATE FUNCTION mart.submission_status_among(
    moment timestamptz, of_units integer[], first_day date, last_day date
)
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
            OR NOT unit.has_nil
            AND core.lacks_required(unit.stat_date, unit.dataset, unit.unit_id, period.level, moment)
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
            WHERE (of_units IS NULL OR owing.unit_id = ANY(of_units))
                AND expected.stat_date BETWEEN first_day AND last_day AND expected.known_from <= moment
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
            WHERE (of_units IS NULL OR sent.unit_id = ANY(of_units))
                AND sent.stat_date BETWEEN first_day AND last_day AND sent.known_from <= moment
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
    SELECT status.* FROM mart.submission_status_among(moment, NULL, '-infinity', 'infinity') AS status
$$;

CREATE OR REPLACE FUNCTION mart.submission_status_shown(day date, of_dataset text, of_units integer[])
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
    FROM mart.submission_status_among(statement_timestamp(), of_units, day, day) AS status
    WHERE status.dataset = of_dataset;
END
$$;

CREATE OR REPLACE FUNCTION county.submission_status(day date) RETURNS SETOF mart.submission_status
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT status.*
    FROM mart.submission_status_among(statement_timestamp(), NULL, day, day) AS status
    WHERE status.unit_code IN (SELECT reader_division.division_code FROM core.reader_division);
END
$$;

CREATE OR REPLACE FUNCTION mart.lateness_among(first_day date, last_day date, of_units integer[])
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
        FROM mart.submission_status_among(statement_timestamp(), of_units, first_day, last_day) AS status
        WHERE status.is_expected AND status.cutoff_at < statement_timestamp()
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

-- Whether a unit's submissions that count have a cell.
CREATE FUNCTION core.has_cell(day date, of_dataset text, of_unit integer, of_cell smallint) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN EXISTS (
        SELECT 1
        FROM core.submission
        WHERE submission.stat_date = day AND submission.unit_id = of_unit AND submission.dataset = of_dataset
            AND submission.known_to = 'infinity' AND of_cell = ANY(submission.cells)
    );
END
$$;

CREATE OR REPLACE VIEW mart.stock_own AS
SELECT
    unit.stat_date,
    unit.division_id,
    unit.is_leaf,
    unnest(submission.cells) AS cell_id,
    unnest(submission.figures) AS value,
    unit.is_expected::integer AS units_expected,
    1 AS units_reported,
    NULL::date AS carried_from
FROM mart.stock_reporting AS unit
JOIN core.submission
    ON submission.stat_date = unit.stat_date AND submission.unit_id = unit.division_id
    AND submission.dataset = 'stocks' AND submission.known_to = 'infinity'
UNION ALL
SELECT
    unit.stat_date,
    unit.division_id,
    unit.is_leaf,
    owed.cell_id,
    CASE WHEN unit.is_nil THEN 0 ELSE carried.value END,
    unit.is_expected::integer,
    unit.is_nil::integer,
    carried.carried_from
FROM mart.stock_reporting AS unit
CROSS JOIN LATERAL unnest(unit.lacking) AS owed (cell_id)
LEFT JOIN mart.stock_carried AS carried
    ON carried.stat_date = unit.stat_date AND carried.unit_id = unit.division_id AND carried.cell_id = owed.cell_id
-- What was loaded after the last roll-up is lacking no more.
WHERE cardinality(unit.lacking) > 0 AND NOT core.has_cell(unit.stat_date, 'stocks', unit.division_id, owed.cell_id);

CREATE OR REPLACE FUNCTION mart.reporting_of(of_dataset text, day date)
RETURNS TABLE (
    division_id integer, expected integer, received integer, on_time integer, late integer, rejected integer,
    cutoff_at timestamptz
)
LANGUAGE plpgsql STABLE ROWS 3000 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT
        above.division_id,
        count(*)::integer,
        count(*) FILTER (WHERE unit.status IN ('on_time', 'late', 'late_after_cutoff'))::integer,
        count(*) FILTER (WHERE unit.status = 'on_time')::integer,
        count(*) FILTER (WHERE unit.status = 'late')::integer,
        count(*) FILTER (WHERE unit.status = 'rejected')::integer,
        max(unit.cutoff_at)
    FROM mart.submission_status_among(statement_timestamp(), NULL, day, day) AS unit
    JOIN core.division ON division.division_code = unit.unit_code
    CROSS JOIN LATERAL core.division_above(division.division_id, day) AS above
    WHERE unit.dataset = of_dataset AND unit.is_expected
    GROUP BY above.division_id;
END
$$;

-- Each division of a day with itself and every one above it.
CREATE FUNCTION core.division_upward(day date) RETURNS TABLE (unit_id integer, division_id integer)
LANGUAGE plpgsql STABLE ROWS 300000 AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH RECURSIVE upward AS (
        SELECT period.division_id AS unit_id, period.division_id, period.parent_id
        FROM core.division_period AS period
        WHERE period.valid_from <= day AND day < period.valid_to
        UNION ALL
        SELECT upward.unit_id, period.division_id, period.parent_id
        FROM upward
        JOIN core.division_period AS period ON period.division_id = upward.parent_id
        WHERE period.valid_from <= day AND day < period.valid_to
    )

    SELECT upward.unit_id, upward.division_id FROM upward;
END
$$;
