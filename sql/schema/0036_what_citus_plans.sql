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
CROSS JOIN LATERAL (SELECT core.first_arrival(alert.stat_date, alert.dataset, unit.unit_id) AS received_at) AS arrival
WHERE alert.reason IN ('not_received', 'missing');
