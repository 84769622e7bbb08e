-- On time, late, missing: what each unit owes on a day, by when, and what became of it (rulings 1 to 4).
ALTER TABLE core.measure
    -- A submission without it is partial.
    ADD COLUMN is_required boolean NOT NULL DEFAULT false;

-- Whether its units report every day (7×24): what completes their day before the cut-off restates nothing (ruling 2).
ALTER TABLE core.platform ADD COLUMN is_everyday boolean NOT NULL DEFAULT false;

-- Units that owe a day to the same platforms, with the times until which they owe it. Units without a due time lie inside
-- the area and at a level of a platform and owe nothing that day, by its calendar or by an exception.
ALTER TABLE core.expected_day
    ADD COLUMN platform_ids smallint[] NOT NULL DEFAULT '{}',
    ADD COLUMN due_at timestamptz,
    ADD COLUMN cutoff_at timestamptz,
    DROP CONSTRAINT expected_day_pkey,
    ADD PRIMARY KEY (stat_date, dataset, platform_ids, known_from),
    ADD CHECK (due_at < cutoff_at),
    ADD CHECK ((due_at IS NULL) = (cutoff_at IS NULL));
ALTER TABLE core.expected_day ALTER COLUMN dataset DROP DEFAULT, ALTER COLUMN platform_ids DROP DEFAULT;
-- Days from before: the times in force then; days of open months are rolled up again and get their units' own.
UPDATE core.expected_day
SET
    due_at = (stat_date + time '18:00') AT TIME ZONE 'Asia/Shanghai',
    cutoff_at = (stat_date + 1 + time '10:00') AT TIME ZONE 'Asia/Shanghai';
UPDATE mart.daily_rollup
SET rolled_up_at = NULL, loaded_at = coalesce(loaded_at, rolled_up_at)
WHERE rolled_up_at IS NOT NULL
    AND date_trunc('month', stat_date) NOT IN (SELECT closed_month.month FROM core.closed_month);

ALTER TABLE mart.daily_reporting
    -- Of the expected units: those with an accepted submission, and of these on time, and late but before the cut-off.
    ADD COLUMN received integer NOT NULL DEFAULT 0,
    ADD COLUMN on_time integer NOT NULL DEFAULT 0,
    ADD COLUMN late integer NOT NULL DEFAULT 0,
    -- Of the expected units: those all of whose rows are held back.
    ADD COLUMN rejected integer NOT NULL DEFAULT 0,
    -- At which levels, at or below, a unit reported nil: bit 2^depth of core.level is set.
    ADD COLUMN nil_levels integer NOT NULL DEFAULT 0,
    -- The last cut-off among the expected units; until then those that have sent nothing are not missing yet.
    ADD COLUMN cutoff_at timestamptz;

-- Units of whose rows of a day some were held back at a moment, or whose nil report was; what waits for a closed month is
-- none of them. 'infinity' gives what is known now.
CREATE FUNCTION quality.held_unit_as_of(moment timestamptz)
RETURNS TABLE (stat_date date, dataset text, unit_code text)
LANGUAGE sql STABLE ROWS 1000 AS $$
    SELECT quarantine.stat_date, batch.dataset, quarantine.unit_code
    FROM quality.quarantine
    JOIN landing.batch ON batch.batch_id = quarantine.batch_id
    WHERE quarantine.reason_code <> 'period_locked' AND batch.pulled_at <= moment AND NOT EXISTS (
        SELECT FROM quality.decision
        WHERE decision.quarantine_id = quarantine.quarantine_id
            AND decision.action IN ('released', 'corrected') AND decision.decided_at <= moment
    )
    UNION
    SELECT flag.stat_date, batch.dataset, flag.unit_code
    FROM quality.flag
    JOIN landing.batch ON batch.batch_id = flag.batch_id
    WHERE flag.check_code = 'nil_held' AND batch.pulled_at <= moment
$$;

-- One row per unit, data set and day, as it stood and was known at a moment. Judged by the arrival of the first submission
-- that was accepted, whatever was sent later. The status of an expected unit that has sent nothing is null until its
-- cut-off has passed. A unit that is not expected is not_expected, also when it reports.
CREATE FUNCTION mart.submission_status_as_of(moment timestamptz)
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
            WHERE expected.known_from <= moment
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
            WHERE sent.known_from <= moment
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

-- A division and all above it on a day.
CREATE FUNCTION core.division_above(of_division integer, day date) RETURNS TABLE (division_id integer)
LANGUAGE sql STABLE ROWS 5 AS $$
    WITH RECURSIVE above AS (
        SELECT period.division_id, period.parent_id
        FROM core.division_period AS period
        WHERE period.division_id = of_division AND period.valid_from <= day AND day < period.valid_to
        UNION ALL
        SELECT period.division_id, period.parent_id
        FROM above
        JOIN core.division_period AS period ON period.division_id = above.parent_id
        WHERE period.valid_from <= day AND day < period.valid_to
    )

    SELECT above.division_id FROM above
$$;

CREATE OR REPLACE VIEW mart.submission_status AS
SELECT status.* FROM mart.submission_status_as_of(statement_timestamp()) AS status;

-- Who reported a data set of which nothing is kept by division, and when. Few units report stocks, and once a month: they
-- are counted as they are asked for.
CREATE INDEX ON core.expected_day (stat_date) WHERE dataset <> 'daily';
CREATE FUNCTION mart.reporting_of(of_dataset text, day date)
RETURNS TABLE (
    division_id integer, expected integer, received integer, on_time integer, late integer, rejected integer,
    cutoff_at timestamptz
)
LANGUAGE plpgsql STABLE ROWS 3000 SET plan_cache_mode = force_custom_plan AS $$
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
    FROM mart.submission_status AS unit
    JOIN core.division ON division.division_code = unit.unit_code
    CROSS JOIN LATERAL core.division_above(division.division_id, day) AS above
    WHERE unit.dataset = of_dataset AND unit.stat_date = day AND unit.is_expected
    GROUP BY above.division_id;
END
$$;

-- Who reported, at every level: the division's own unit and all below it. missing is null as long as the cut-off of one of
-- them is ahead. Rates are of those expected, 0 to 1.
CREATE VIEW mart.reporting_rate AS
WITH counted AS (
    SELECT
        'daily'::text AS dataset, reporting.stat_date, reporting.division_id, reporting.units_expected AS expected,
        reporting.received, reporting.on_time, reporting.late, reporting.rejected, reporting.cutoff_at
    FROM mart.daily_reporting AS reporting
    WHERE reporting.units_expected > 0
    UNION ALL
    SELECT
        due.dataset, due.stat_date, counted.division_id, counted.expected, counted.received, counted.on_time,
        counted.late, counted.rejected, counted.cutoff_at
    FROM (
        SELECT DISTINCT expected.dataset, expected.stat_date
        FROM core.expected_day AS expected
        WHERE expected.dataset <> 'daily'
    ) AS due
    CROSS JOIN LATERAL mart.reporting_of(due.dataset, due.stat_date) AS counted
)

SELECT
    division.division_code,
    period.division_name,
    period.level,
    parent.division_code AS parent_code,
    counted.dataset,
    counted.stat_date,
    counted.expected,
    counted.received,
    counted.on_time,
    counted.late,
    counted.received - counted.on_time - counted.late AS late_after_cutoff,
    CASE
        WHEN counted.cutoff_at < statement_timestamp() THEN counted.expected - counted.received - counted.rejected
    END AS missing,
    counted.rejected,
    counted.received::numeric / counted.expected AS reporting_rate,
    counted.on_time::numeric / counted.expected AS on_time_rate
FROM counted
JOIN core.division ON division.division_id = counted.division_id
JOIN core.division_period AS period
    ON period.division_id = counted.division_id
    AND period.valid_from <= counted.stat_date AND counted.stat_date < period.valid_to
LEFT JOIN core.division AS parent ON parent.division_id = period.parent_id;

-- mart.daily_statistics of one day as it was known at a moment: summed anew from the submissions that counted then, on the
-- divisions and expectations known then.
CREATE OR REPLACE FUNCTION mart.daily_statistics_as_of(moment timestamptz, day date)
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
