-- What the portal asks of a few divisions, without the work of a whole period, and what its answers hold for.

-- mart.period_statistics of some divisions and measures, for readers: as mart.period_statistics_of, which is made for whole
-- levels and takes longer to plan than these few rows take to read. The figures of all periods that are compared come in
-- one pass. Nothing of surveys.
CREATE FUNCTION mart.period_statistics_among(name text, of_divisions integer[], of_measures text[])
RETURNS TABLE (
    division_code text, division_name text, level text, parent_code text, period text, measure text, channel text,
    value bigint, value_previous bigint, value_last_year bigint, mom numeric, yoy numeric, ytd bigint, expected integer,
    received integer, is_provisional boolean, measure_name text, channel_name text, unit text
)
LANGUAGE plpgsql STABLE ROWS 100 SET plan_cache_mode = force_custom_plan SET jit = off AS $$
#variable_conflict use_column
DECLARE
    this mart.period;
    previous mart.period;
    last_year mart.period;
    -- The year up to the end of this period.
    to_date_id integer;
    of_periods integer[];
    flows smallint[];
    stocks smallint[];
    carried smallint[];
    first_cell smallint;
    -- The month's end before, and that of the year before.
    day_before date;
    day_last_year date;
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
    day_before := this.starts_on - 1;
    day_last_year := date_trunc('month', this.ends_on - interval '1 year') + interval '1 month - 1 day';
    of_periods := ARRAY[this.period_id, previous.period_id, last_year.period_id, to_date_id];
    SELECT
        coalesce(array_agg(cell.cell_id) FILTER (WHERE measure.kind = 'flow' AND asked.yes), '{}'),
        coalesce(array_agg(cell.cell_id) FILTER (WHERE measure.kind = 'stock' AND asked.yes), '{}'),
        coalesce(array_agg(cell.cell_id) FILTER (WHERE measure.kind = 'carried'), '{}')
    INTO flows, stocks, carried
    FROM core.cell
    JOIN core.measure ON measure.measure_id = cell.measure_id
    CROSS JOIN LATERAL (SELECT of_measures IS NULL OR measure.measure = ANY(of_measures) AS yes) AS asked;
    SELECT known.cell_id INTO first_cell
    FROM core.cell_name AS known
    WHERE known.channel_id = 0
    ORDER BY known.position
    LIMIT 1;

    RETURN QUERY
    WITH reporting AS MATERIALIZED (
        SELECT
            here.period_id, here.division_id, here.last_day, here.is_leaf, here.expected, here.received, here.reported,
            here.nil_levels
        FROM mart.period_reporting AS here
        WHERE here.period_id = ANY(of_periods) AND here.division_id = ANY(of_divisions)
    ),

    own AS MATERIALIZED (
        SELECT own.period_id, own.unit_id AS division_id, own.cell_id, own.value
        FROM mart.period_own AS own
        JOIN reporting
            ON reporting.period_id = own.period_id AND reporting.division_id = own.unit_id AND reporting.is_leaf
        WHERE own.period_id = ANY(of_periods) AND own.cell_id = ANY(flows)
            AND own.unit_id = ANY(ARRAY(SELECT leaf.division_id FROM reporting AS leaf WHERE leaf.is_leaf))
    ),

    found AS MATERIALIZED (
        SELECT total.period_id, total.division_id, total.cell_id, total.value
        FROM mart.period_total AS total
        WHERE total.period_id = ANY(of_periods) AND total.division_id = ANY(of_divisions) AND total.cell_id = ANY(flows)
        UNION ALL
        SELECT own.period_id, own.division_id, own.cell_id, own.value FROM own
        UNION ALL
        SELECT own.period_id, own.division_id, all_cell.cell_id, sum(own.value)::bigint
        FROM own
        JOIN core.cell ON cell.cell_id = own.cell_id
        JOIN core.cell AS all_cell ON all_cell.measure_id = cell.measure_id AND all_cell.channel_id = 0
        GROUP BY own.period_id, own.division_id, all_cell.cell_id
    ),

    -- A division that owes figures is never absent: its first measure is 0 after nil reports, null when nothing came.
    figure AS (
        SELECT found.period_id, found.division_id, found.cell_id, found.value
        FROM found
        UNION ALL
        SELECT here.period_id, here.division_id, first_cell, CASE WHEN here.reported > 0 THEN 0 END
        FROM reporting AS here
        WHERE here.period_id = this.period_id AND (here.expected > 0 OR here.reported > 0) AND first_cell = ANY(flows)
            AND here.division_id NOT IN (SELECT found.division_id FROM found WHERE found.period_id = this.period_id)
            AND NOT (
                EXISTS (
                    SELECT FROM mart.period_total AS total
                    WHERE total.period_id = this.period_id AND total.division_id = here.division_id
                        AND total.cell_id <> ALL(carried)
                )
                OR here.is_leaf AND EXISTS (
                    SELECT FROM mart.period_own AS own
                    WHERE own.period_id = this.period_id AND own.unit_id = here.division_id
                        AND own.cell_id <> ALL(carried)
                )
            )
    ),

    beside AS MATERIALIZED (
        SELECT
            figure.division_id,
            figure.cell_id,
            max(figure.value) FILTER (WHERE figure.period_id = this.period_id) AS value,
            max(figure.value) FILTER (WHERE figure.period_id = previous.period_id) AS value_previous,
            max(figure.value) FILTER (WHERE figure.period_id = last_year.period_id) AS value_last_year,
            max(figure.value) FILTER (WHERE figure.period_id = to_date_id) AS ytd
        FROM figure
        GROUP BY figure.division_id, figure.cell_id
        HAVING bool_or(figure.period_id = this.period_id)
    ),

    -- How each division stood in these periods.
    state AS MATERIALIZED (
        SELECT
            division.division_code, place.division_name, place.level, parent.division_code AS parent_code,
            here.division_id, here.expected, here.received,
            mart.is_provisional(this, here.expected, here.received) AS is_provisional,
            coalesce(mart.is_provisional(previous, before.expected, before.received), true) AS is_previous_provisional,
            coalesce(mart.is_provisional(last_year, past.expected, past.received), true) AS is_last_year_provisional,
            before.nil_levels AS nil_previous,
            past.nil_levels AS nil_last_year,
            year_to_date.nil_levels AS nil_to_date
        FROM reporting AS here
        JOIN core.division ON division.division_id = here.division_id
        JOIN core.division_period AS place
            ON place.division_id = here.division_id
            AND place.valid_from <= here.last_day AND here.last_day < place.valid_to
        LEFT JOIN core.division AS parent ON parent.division_id = place.parent_id
        LEFT JOIN reporting AS before ON before.period_id = previous.period_id AND before.division_id = here.division_id
        LEFT JOIN reporting AS past ON past.period_id = last_year.period_id AND past.division_id = here.division_id
        LEFT JOIN reporting AS year_to_date
            ON year_to_date.period_id = to_date_id AND year_to_date.division_id = here.division_id
        WHERE here.period_id = this.period_id
    ),

    known AS MATERIALIZED (
        SELECT cell.cell_id, cell.measure, cell.measure_name, cell.channel, cell.channel_name, cell.unit, cell.levels
        FROM core.cell_name AS cell
        WHERE cell.cell_id = ANY(flows)
    ),

    shown AS (
        SELECT
            state.*, beside.value, known.*,
            coalesce(beside.value_previous, CASE WHEN state.nil_previous & known.levels <> 0 THEN 0 END)
                AS value_previous,
            coalesce(beside.value_last_year, CASE WHEN state.nil_last_year & known.levels <> 0 THEN 0 END)
                AS value_last_year,
            coalesce(beside.ytd, CASE WHEN state.nil_to_date & known.levels <> 0 THEN 0 END) AS ytd
        FROM beside
        JOIN state ON state.division_id = beside.division_id
        JOIN known ON known.cell_id = beside.cell_id
    )

    SELECT
        shown.division_code,
        shown.division_name,
        shown.level,
        shown.parent_code,
        this.period,
        shown.measure,
        shown.channel,
        shown.value,
        shown.value_previous,
        shown.value_last_year,
        CASE WHEN NOT (shown.is_provisional OR shown.is_previous_provisional)
            THEN shown.value / nullif(shown.value_previous, 0)::numeric - 1
        END,
        CASE WHEN NOT (shown.is_provisional OR shown.is_last_year_provisional)
            THEN shown.value / nullif(shown.value_last_year, 0)::numeric - 1
        END,
        shown.ytd,
        shown.expected,
        shown.received,
        shown.is_provisional,
        shown.measure_name,
        shown.channel_name,
        shown.unit
    FROM shown;

    IF stocks = '{}' THEN
        RETURN;
    END IF;
    -- Stocks: the period's last month, nothing added up over time.
    RETURN QUERY
    WITH found AS MATERIALIZED (
        SELECT
            figure.stat_date, figure.division_id, figure.cell_id, figure.value, figure.units_expected,
            figure.units_reported, figure.units_reported < this.provisional_below * figure.units_expected AS is_short
        FROM mart.stock_figure AS figure
        WHERE figure.stat_date = ANY(ARRAY[this.ends_on, day_before, day_last_year])
            AND figure.division_id = ANY(of_divisions) AND figure.cell_id = ANY(stocks)
    )

    SELECT
        division.division_code, place.division_name, place.level, parent.division_code, this.period, known.measure,
        known.channel, stock.value::bigint, before.value::bigint, past.value::bigint,
        CASE WHEN NOT (coalesce(stock.is_short, false) OR coalesce(before.is_short, true))
            THEN stock.value / nullif(before.value, 0)::numeric - 1
        END,
        CASE WHEN NOT (coalesce(stock.is_short, false) OR coalesce(past.is_short, true))
            THEN stock.value / nullif(past.value, 0)::numeric - 1
        END,
        NULL::bigint, stock.units_expected::integer, stock.units_reported::integer, coalesce(stock.is_short, false),
        known.measure_name, known.channel_name, known.unit
    FROM found AS stock
    JOIN core.cell_name AS known ON known.cell_id = stock.cell_id
    JOIN core.division ON division.division_id = stock.division_id
    JOIN core.division_period AS place
        ON place.division_id = stock.division_id
        AND place.valid_from <= this.ends_on AND this.ends_on < place.valid_to
    LEFT JOIN core.division AS parent ON parent.division_id = place.parent_id
    LEFT JOIN found AS before
        ON before.stat_date = day_before AND before.division_id = stock.division_id AND before.cell_id = stock.cell_id
    LEFT JOIN found AS past
        ON past.stat_date = day_last_year AND past.division_id = stock.division_id AND past.cell_id = stock.cell_id
    WHERE stock.stat_date = this.ends_on;
END
$$;

CREATE OR REPLACE FUNCTION mart.period_statistics_shown(
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
    IF of_level IS NULL AND of_divisions IS NOT NULL THEN
        RETURN QUERY
        SELECT statistic.* FROM mart.period_statistics_among(name, of_divisions, of_measures) AS statistic;
    ELSE
        RETURN QUERY
        SELECT statistic.*
        FROM mart.period_statistics_of(name, of_level, of_divisions, of_measures) AS statistic
        WHERE statistic.measure IN (SELECT known.measure FROM core.measure AS known WHERE known.kind IN ('flow', 'stock'));
    END IF;
END
$$;

-- Months are found by their numbers, whichever they are: planned once.
ALTER FUNCTION mart.trend_shown(integer, text, integer[]) SET plan_cache_mode = force_generic_plan;

-- A page of what a figure of one day and data set sums, as known at a moment (null: now): one row per figure of a unit, with
-- the submission, batch, file and row it came in, beside how many there are and their sum. A stock carried forward has the
-- day that it is of. Nothing of surveys.
DROP FUNCTION mart.figure_parts_as_of(date, text, integer, text, text, timestamptz);
CREATE FUNCTION mart.figure_parts_as_of(
    day date, of_dataset text, of_division integer, of_measure text, of_channel text, moment timestamptz,
    rows_wanted integer, rows_before integer
)
RETURNS TABLE (
    unit_code text, unit_name text, level text, channel text, channel_name text, value bigint, platform text,
    revision bigint, received_at timestamptz, known_from timestamptz, batch_id bigint, source_name text,
    row_number integer, sha256 text, stat_date date, pulled_at timestamptz, rows_total bigint, parts_sum bigint
)
LANGUAGE plpgsql STABLE ROWS 100 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
SET max_parallel_workers_per_gather = 0 AS $$
#variable_conflict use_column
DECLARE
    below integer[];
    is_whole boolean := false;
    wanted smallint[];
BEGIN
    IF moment IS NOT NULL THEN
        below := ARRAY(
            WITH RECURSIVE place AS MATERIALIZED (
                SELECT known.division_id, known.parent_id
                FROM core.division_period_as_of(moment) AS known
                WHERE known.valid_from <= day AND day < known.valid_to
            ),

            lower AS (
                SELECT place.division_id FROM place WHERE place.division_id = of_division
                UNION ALL
                SELECT place.division_id FROM lower JOIN place ON place.parent_id = lower.division_id
            )

            SELECT lower.division_id FROM lower
        );
    ELSE
        -- Below the only division that has none above are all of the day.
        is_whole := ARRAY(
            SELECT place.division_id FROM core.division_period AS place
            WHERE place.parent_id IS NULL AND place.valid_from <= day AND day < place.valid_to
        ) = ARRAY[of_division];
        IF is_whole THEN
            below := ARRAY(
                SELECT place.division_id FROM core.division_period AS place
                WHERE place.valid_from <= day AND day < place.valid_to
            );
        ELSE
            below := ARRAY(SELECT lower.division_id FROM mart.division_below(of_division, day) AS lower);
        END IF;
    END IF;
    wanted := ARRAY(
        SELECT cell.cell_id
        FROM core.cell_name AS cell
        WHERE cell.measure = of_measure AND cell.kind IN ('flow', 'stock') AND of_channel IN (cell.channel, 'all')
    );
    RETURN QUERY
    WITH known AS MATERIALIZED (
        SELECT cell.cell_id, cell.channel, cell.channel_name
        FROM core.cell_name AS cell
        WHERE cell.cell_id = ANY(wanted)
    ),

    unit AS MATERIALIZED (
        SELECT division.division_id, division.division_code
        FROM core.division
        WHERE is_whole OR division.division_id = ANY(below)
    ),

    sent AS (
        SELECT
            submission.stat_date, submission.unit_id, submission.submission_id, submission.platform_id,
            submission.cells, submission.figures, wanted AS taken
        FROM core.submission
        WHERE submission.stat_date = day AND submission.dataset = of_dataset AND submission.unit_id = ANY(below)
            AND submission.cells && wanted
            AND CASE
                WHEN moment IS NULL THEN submission.known_to = 'infinity'
                ELSE submission.known_from <= moment
                    AND (moment < submission.known_to OR submission.known_to = 'infinity')
            END
        UNION ALL
        SELECT
            submission.stat_date, submission.unit_id, submission.submission_id, submission.platform_id,
            submission.cells, submission.figures, ARRAY[carried.cell_id]
        FROM mart.stock_carried AS carried
        JOIN core.submission
            ON submission.stat_date = carried.carried_from AND submission.unit_id = carried.unit_id
            AND submission.dataset = 'stocks' AND submission.known_to = 'infinity'
        WHERE moment IS NULL AND of_dataset = 'stocks' AND carried.stat_date = day AND carried.unit_id = ANY(below)
            AND carried.cell_id = ANY(wanted)
    ),

    -- Arrays are unnested in the select list: as functions of a FROM they cost three times as much.
    figure AS (
        SELECT
            sent.stat_date, sent.unit_id, sent.submission_id, sent.platform_id, sent.taken,
            unnest(sent.cells) AS cell_id, unnest(sent.figures) AS value
        FROM sent
    ),

    page AS MATERIALIZED (
        SELECT
            figure.stat_date, figure.unit_id, figure.submission_id, figure.cell_id, figure.value,
            unit.division_code, known.channel, known.channel_name, platform.platform,
            count(*) OVER () AS rows_total, sum(figure.value) OVER () AS parts_sum
        FROM figure
        JOIN unit ON unit.division_id = figure.unit_id
        JOIN core.platform ON platform.platform_id = figure.platform_id
        JOIN known ON known.cell_id = figure.cell_id
        WHERE figure.cell_id = ANY(figure.taken)
        ORDER BY unit.division_code, known.channel, platform.platform
        LIMIT rows_wanted OFFSET rows_before
    )

    SELECT
        page.division_code, place.division_name, place.level, page.channel, page.channel_name, page.value, page.platform,
        submission.revision, submission.received_at, submission.known_from, batch.batch_id, batch.source_name,
        part.row_number, batch.sha256, page.stat_date, batch.pulled_at, page.rows_total, page.parts_sum::bigint
    FROM page
    JOIN core.submission
        ON submission.stat_date = page.stat_date AND submission.unit_id = page.unit_id
        AND submission.submission_id = page.submission_id
    CROSS JOIN LATERAL unnest(submission.cells, submission.row_numbers, submission.batch_ids)
        AS part (cell_id, row_number, batch_id)
    JOIN core.division_period AS place
        ON place.division_id = page.unit_id AND place.valid_from <= day AND day < place.valid_to
    JOIN landing.batch ON batch.batch_id = coalesce(part.batch_id, submission.batch_id)
    WHERE part.cell_id = page.cell_id
    ORDER BY page.division_code, page.channel, page.platform;
END
$$;

-- --- what answers hold for ---------------------------------------------------------------------------------------------

CREATE INDEX ON core.division_period (known_from);
CREATE INDEX ON core.division_period_history (known_to);
CREATE INDEX ON core.expected_day (cutoff_at);

-- All that pages of months, quarters and years show follows from what this names: as long as the text is the same, so are
-- they. Whoever writes figures of a period or stocks marks the period or the month in the same transaction; divisions are
-- written by one transaction at a time, which takes its moment once it is alone; until a cut-off passes, what has not come
-- is not missing.
CREATE FUNCTION mart.state_of_periods() RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN format(
        '%s %s %s %s %s %s %s %s',
        (SELECT sum(hashtextextended(shown::text, 0)) FROM mart.period AS shown WHERE shown.kind <> 'day'),
        (SELECT sum(hashtextextended(stocks::text, 0)) FROM mart.stock_rollup AS stocks),
        (SELECT sum(hashtextextended(known::text, 0)) FROM core.measure AS known),
        (SELECT sum(hashtextextended(known::text, 0)) FROM core.channel AS known),
        (
            SELECT sum(hashtextextended(concat_ws(' ', version.indicator_id, version.known_from, version.known_to), 0))
            FROM core.indicator_version AS version
        ),
        (SELECT max(place.known_from) FROM core.division_period AS place),
        (SELECT max(gone.known_to) FROM core.division_period_history AS gone),
        (SELECT max(expected.cutoff_at) FROM core.expected_day AS expected WHERE expected.cutoff_at < statement_timestamp())
    );
END
$$;
