-- What happened to divisions, as of which day, and since when it is known. core.division_period stays what is known now;
-- what a list replaces moves to the history, so that any past state of knowledge can be asked for.
ALTER TABLE core.division_period ADD COLUMN known_from timestamptz NOT NULL DEFAULT '-infinity';
ALTER TABLE core.division_period ALTER COLUMN known_from SET DEFAULT now();

CREATE TABLE core.division_period_history (
    division_id integer NOT NULL REFERENCES core.division,
    valid_from date NOT NULL,
    valid_to date NOT NULL,
    division_name text NOT NULL,
    level text NOT NULL REFERENCES core.level,
    parent_id integer REFERENCES core.division,
    known_from timestamptz NOT NULL,
    known_to timestamptz NOT NULL,
    CHECK (valid_from < valid_to),
    CHECK (known_from <= known_to)
);
CREATE INDEX ON core.division_period_history (division_id);

-- The divisions as they were known at a moment; 'infinity' gives what is known now.
CREATE FUNCTION core.division_period_as_of(moment timestamptz)
RETURNS TABLE (
    division_id integer, valid_from date, valid_to date, division_name text, level text, parent_id integer
)
LANGUAGE sql STABLE ROWS 100000 AS $$
    SELECT
        period.division_id, period.valid_from, period.valid_to, period.division_name, period.level, period.parent_id
    FROM core.division_period AS period
    WHERE period.known_from <= moment
    UNION ALL
    SELECT
        history.division_id, history.valid_from, history.valid_to, history.division_name, history.level,
        history.parent_id
    FROM core.division_period_history AS history
    WHERE history.known_from <= moment AND moment < history.known_to
$$;

-- One row per division and change. A share says that this part of the figures from before the effective date counts,
-- on later divisions, for to_id; without a share the figures stay where they are. What is only proposed (not taken)
-- moves nothing. A removed division's figures go to the nearest division above it that is left, lest they vanish.
CREATE TABLE core.division_change (
    change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    effective_date date NOT NULL,
    kind text NOT NULL CHECK (kind IN (
        'added', 'returned', 'removed', 'renamed', 'moved', 'relevelled', 'recoded', 'merged', 'split'
    )),
    from_id integer REFERENCES core.division,
    to_id integer REFERENCES core.division,
    share numeric CHECK (share > 0 AND share <= 1),
    -- listed: the lists say so, code by code; stated: a mapping file says so; inferred: concluded from names and parents.
    origin text NOT NULL CHECK (origin IN ('listed', 'stated', 'inferred')),
    confidence numeric NOT NULL CHECK (confidence > 0 AND confidence <= 1),
    is_taken boolean NOT NULL,
    reason text NOT NULL,
    known_from timestamptz NOT NULL,
    known_to timestamptz NOT NULL DEFAULT 'infinity',
    CHECK (known_from <= known_to),
    CHECK (from_id IS NOT NULL OR to_id IS NOT NULL)
);
CREATE INDEX ON core.division_change (effective_date);
CREATE INDEX ON core.division_change (from_id);

-- Whom a division's figures of a past day count for on the divisions in force on a later day, and which part of them
-- (the shares of a division add up to 1), by what was known at a moment.
CREATE FUNCTION core.division_successor(past_day date, on_day date, moment timestamptz DEFAULT 'infinity')
RETURNS TABLE (division_id integer, successor_id integer, share numeric)
LANGUAGE plpgsql STABLE ROWS 100000 AS $$
#variable_conflict use_column
BEGIN
    IF on_day < past_day THEN
        RAISE EXCEPTION 'figures of % cannot be shown on the divisions of an earlier day, %', past_day, on_day;
    END IF;
    RETURN QUERY
    WITH RECURSIVE known AS MATERIALIZED (
        SELECT * FROM core.division_period_as_of(moment)
    ),

    last_seen AS (
        SELECT known.division_id, max(known.valid_from) AS valid_from
        FROM known
        WHERE known.valid_from <= on_day
        GROUP BY known.division_id
    ),

    -- A division's changes apply to figures that reached it since its change before.
    step AS MATERIALIZED (
        SELECT
            change.from_id,
            change.to_id,
            change.share,
            change.effective_date,
            coalesce(
                max(change.effective_date) OVER (
                    PARTITION BY change.from_id
                    ORDER BY change.effective_date GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ),
                '-infinity'
            ) AS change_before
        FROM core.division_change AS change
        LEFT JOIN last_seen ON last_seen.division_id = change.from_id
        WHERE change.is_taken AND change.share IS NOT NULL
            AND change.known_from <= moment AND (moment < change.known_to OR change.known_to = 'infinity')
            AND past_day < change.effective_date AND change.effective_date <= on_day
            -- A division that comes back is the same: its figures wait for it.
            AND NOT (change.kind = 'removed' AND change.effective_date < last_seen.valid_from)
    ),

    walk AS (
        SELECT known.division_id, known.division_id AS unit_id, past_day AS reached_on, 1::numeric AS share
        FROM known
        WHERE known.valid_from <= past_day AND past_day < known.valid_to
        UNION ALL
        SELECT walk.division_id, step.to_id, step.effective_date, walk.share * step.share
        FROM walk
        JOIN step
            ON step.from_id = walk.unit_id
            AND step.change_before <= walk.reached_on AND walk.reached_on < step.effective_date
    ),

    last_step AS (
        SELECT step.from_id, max(step.effective_date) AS effective_date
        FROM step
        GROUP BY step.from_id
    )

    SELECT walk.division_id, walk.unit_id, sum(walk.share)
    FROM walk
    LEFT JOIN last_step ON last_step.from_id = walk.unit_id
    WHERE walk.unit_id IS NOT NULL AND coalesce(last_step.effective_date <= walk.reached_on, true)
    GROUP BY walk.division_id, walk.unit_id;
END
$$;

-- What units reported on a past day, put to their successors of a later day. A split figure is shared out in whole
-- numbers by largest remainder, so that its parts add up to it.
CREATE FUNCTION core.comparable_count(past_day date, on_day date)
RETURNS TABLE (unit_id integer, cell_id smallint, value bigint)
LANGUAGE sql STABLE ROWS 100000 AS $$
    WITH successor AS MATERIALIZED (
        SELECT * FROM core.division_successor(past_day, on_day)
    ),

    part AS (
        SELECT
            successor.division_id,
            successor.successor_id,
            count.cell_id,
            count.value,
            floor(count.value * successor.share) AS whole,
            count.value * successor.share - floor(count.value * successor.share) AS remainder
        FROM successor
        JOIN core.daily_count AS count
            ON count.stat_date = past_day AND count.unit_id = successor.division_id
    ),

    ranked AS (
        SELECT
            part.*,
            row_number() OVER (
                PARTITION BY part.division_id, part.cell_id ORDER BY part.remainder DESC, part.successor_id
            ) AS place,
            part.value - sum(part.whole) OVER (PARTITION BY part.division_id, part.cell_id) AS left_over
        FROM part
    )

    SELECT ranked.successor_id, ranked.cell_id, sum(ranked.whole + (ranked.place <= ranked.left_over)::integer)::bigint
    FROM ranked
    GROUP BY ranked.successor_id, ranked.cell_id
$$;

-- Figures of a past day on the divisions in force on a later day (可比口径): every division's own and all below it,
-- by measure and channel; 'all' is the total over channels.
CREATE FUNCTION mart.comparable_statistics(past_day date, on_day date)
RETURNS TABLE (
    division_code text, division_name text, level text, parent_code text, stat_date date, measure text, channel text,
    value bigint
)
LANGUAGE sql STABLE ROWS 100000 AS $$
    WITH RECURSIVE active AS MATERIALIZED (
        SELECT period.division_id, period.division_name, period.level, period.parent_id
        FROM core.division_period AS period
        WHERE period.valid_from <= on_day AND on_day < period.valid_to
    ),

    own AS MATERIALIZED (
        SELECT * FROM core.comparable_count(past_day, on_day)
    ),

    above AS (
        SELECT units.unit_id, units.unit_id AS division_id
        FROM (SELECT DISTINCT own.unit_id FROM own) AS units
        UNION ALL
        SELECT above.unit_id, active.parent_id
        FROM above
        JOIN active ON active.division_id = above.division_id
        WHERE active.parent_id IS NOT NULL
    ),

    summed AS (
        SELECT above.division_id, own.cell_id, sum(own.value)::bigint AS value
        FROM own
        JOIN above ON above.unit_id = own.unit_id
        GROUP BY above.division_id, own.cell_id
    ),

    figure AS (
        SELECT summed.division_id, cell.measure_id, cell.channel_id, summed.value
        FROM summed
        JOIN core.cell ON cell.cell_id = summed.cell_id
        UNION ALL
        SELECT summed.division_id, cell.measure_id, 0::smallint, sum(summed.value)::bigint
        FROM summed
        JOIN core.cell ON cell.cell_id = summed.cell_id
        GROUP BY summed.division_id, cell.measure_id
    )

    SELECT
        division.division_code, active.division_name, active.level, parent.division_code, past_day, measure.measure,
        channel.channel, figure.value
    FROM figure
    JOIN active ON active.division_id = figure.division_id
    JOIN core.division ON division.division_id = figure.division_id
    LEFT JOIN core.division AS parent ON parent.division_id = active.parent_id
    JOIN core.measure ON measure.measure_id = figure.measure_id
    JOIN core.channel ON channel.channel_id = figure.channel_id
$$;

-- A day beside an earlier one, twice: value_past as it stood on the earlier day's divisions, and value_past_comparable
-- on those of the day itself. Null where there is no figure.
CREATE FUNCTION mart.daily_comparison(on_day date, past_day date)
RETURNS TABLE (
    division_code text, measure text, channel text, value bigint, value_past bigint, value_past_comparable bigint
)
LANGUAGE sql STABLE ROWS 100000 AS $$
    WITH figure AS (
        SELECT
            statistic.division_code, statistic.measure, statistic.channel, statistic.value,
            NULL::bigint AS value_past, NULL::bigint AS value_past_comparable
        FROM mart.daily_statistics AS statistic
        WHERE statistic.stat_date = on_day
        UNION ALL
        SELECT
            statistic.division_code, statistic.measure, statistic.channel, NULL, statistic.value, NULL
        FROM mart.daily_statistics AS statistic
        WHERE statistic.stat_date = past_day
        UNION ALL
        SELECT
            comparable.division_code, comparable.measure, comparable.channel, NULL, NULL, comparable.value
        FROM mart.comparable_statistics(past_day, on_day) AS comparable
    )

    SELECT
        figure.division_code, figure.measure, figure.channel, sum(figure.value)::bigint, sum(figure.value_past)::bigint,
        sum(figure.value_past_comparable)::bigint
    FROM figure
    GROUP BY figure.division_code, figure.measure, figure.channel
$$;
