-- Tables as they were known at an earlier moment (ruling 5).

-- The units expected on a day, as known from one roll-up to the next that finds others.
CREATE TABLE core.expected_day (
    stat_date date NOT NULL,
    known_from timestamptz NOT NULL,
    known_to timestamptz NOT NULL DEFAULT 'infinity',
    unit_ids integer[] NOT NULL,
    PRIMARY KEY (stat_date, known_from),
    CHECK (known_from <= known_to)
);

-- mart.daily_statistics of one day as it was known at a moment: summed anew from the submissions that counted then, on the
-- divisions and expectations known then.
CREATE FUNCTION mart.daily_statistics_as_of(moment timestamptz, day date)
RETURNS SETOF mart.daily_statistics
LANGUAGE sql STABLE ROWS 100000 AS $$
    WITH RECURSIVE place AS MATERIALIZED (
        SELECT known.division_id, known.division_name, known.level, known.parent_id
        FROM core.division_period_as_of(moment) AS known
        WHERE known.valid_from <= day AND day < known.valid_to
    ),

    sent AS MATERIALIZED (
        SELECT submission.unit_id, submission.cells, submission.figures
        FROM core.submission
        WHERE submission.stat_date = day AND submission.dataset = 'daily' AND NOT submission.is_withdrawn
            AND submission.known_from <= moment
            AND (moment < submission.known_to OR submission.known_to = 'infinity')
    ),

    expected AS MATERIALIZED (
        SELECT unnest(expected_day.unit_ids) AS unit_id
        FROM core.expected_day
        WHERE expected_day.stat_date = day AND expected_day.known_from <= moment
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
            coalesce(bool_or(sender.has_figures), false) AS has_figures
        FROM upward
        LEFT JOIN expected ON expected.unit_id = upward.unit_id
        LEFT JOIN (
            SELECT sent.unit_id, bool_or(cardinality(sent.cells) > 0) AS has_figures
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
            CASE WHEN reporting.units_reported > 0 THEN 0 END
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
