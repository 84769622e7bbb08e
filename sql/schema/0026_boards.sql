-- What the boards of the portal show beyond 0025, as pls_reader: held rows as they came, questions about figures, closed months,
-- who was reminded, how units kept their deadlines, and what a figure summed at an earlier moment. Nothing of surveys but what
-- mart.satisfaction shows (ruling 18).

-- Rows held back as they came (personal data are masked before they are kept), with the last decision.
CREATE VIEW mart.held_row AS
SELECT
    quarantine.quarantine_id, quarantine.place,
    CASE WHEN NOT quality.speaks_of_survey(quarantine.reason || quarantine.raw::text) THEN quarantine.raw END AS raw,
    decision.action, decision.decided_by,
    CASE
        WHEN NOT quality.speaks_of_survey(concat(decision.reason, quarantine.reason, quarantine.raw)) THEN decision.reason
    END AS decided_because,
    decision.decided_at
FROM quality.quarantine
LEFT JOIN LATERAL (
    SELECT last.action, last.decided_by, last.reason, last.decided_at
    FROM quality.decision AS last
    WHERE last.quarantine_id = quarantine.quarantine_id
    ORDER BY last.decision_id DESC
    LIMIT 1
) AS decision ON true;

-- Figures that are asked about: those that do most to the published total have the highest score.
CREATE VIEW mart.question AS
SELECT
    flag.flag_id, flag.unit_code, flag.stat_date, flag.level, flag.check_code, measure.measure_name, flag.channel, flag.value,
    flag.effect, flag.score, flag.message, flag.state, flag.assignee, flag.due_date, flag.explanation, flag.explained_by
FROM quality.flag
LEFT JOIN core.measure ON measure.measure = flag.measure
WHERE flag.score IS NOT NULL AND NOT quality.speaks_of_survey(concat(flag.measure, flag.message, flag.explanation));

CREATE VIEW mart.closed_month AS
SELECT closed.month, closed.decided_by, closed.reason, closed.decided_at FROM core.closed_month AS closed;

-- mart.lateness_between of some units, or of all.
CREATE FUNCTION mart.lateness_among(first_day date, last_day date, of_units integer[])
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
        FROM mart.submission_status_among(statement_timestamp(), of_units) AS status
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
CREATE OR REPLACE FUNCTION mart.lateness_between(first_day date, last_day date)
RETURNS TABLE (
    unit_code text, unit_name text, level text, parent_code text, dataset text, days_expected integer,
    days_on_time integer, days_late integer, days_after_cutoff integer, days_missing integer, share_late numeric,
    current_streak integer, longest_streak integer, usual_hour numeric
)
LANGUAGE sql STABLE ROWS 10000 AS $$
    SELECT profile.* FROM mart.lateness_among(first_day, last_day, NULL) AS profile
$$;

-- The same of one unit over the days that the catalogue declares (alerts/delivery, profile_days), up to a day.
CREATE FUNCTION mart.lateness_shown(of_unit integer, of_dataset text, last_day date)
RETURNS TABLE (
    first_day date, days_expected integer, days_on_time integer, days_late integer, days_after_cutoff integer,
    days_missing integer, current_streak integer, longest_streak integer, usual_hour numeric
)
LANGUAGE plpgsql STABLE ROWS 1 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    since date;
BEGIN
    SELECT last_day - setting.value INTO since FROM quality.alert_setting AS setting WHERE setting.setting = 'profile_days';
    RETURN QUERY
    SELECT
        since, profile.days_expected, profile.days_on_time, profile.days_late, profile.days_after_cutoff,
        profile.days_missing, profile.current_streak, profile.longest_streak, profile.usual_hour
    FROM mart.lateness_among(since, last_day, ARRAY[of_unit]) AS profile
    WHERE profile.dataset = of_dataset;
END
$$;

-- What a figure of one day and data set sums, as known at a moment (null: now): one row per figure of a unit, with the
-- submission, batch, file and row it came in. A stock carried forward has the day that it is of. Nothing of surveys.
CREATE FUNCTION mart.figure_parts_as_of(
    day date, of_dataset text, of_division integer, of_measure text, of_channel text, moment timestamptz
)
RETURNS TABLE (
    unit_code text, unit_name text, level text, channel text, channel_name text, value bigint, platform text,
    revision bigint, received_at timestamptz, known_from timestamptz, batch_id bigint, source_name text,
    row_number integer, sha256 text, stat_date date
)
LANGUAGE plpgsql STABLE ROWS 1000 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    below integer[];
    wanted smallint[];
BEGIN
    IF moment IS NULL THEN
        below := ARRAY(SELECT lower.division_id FROM mart.division_below(of_division, day) AS lower);
    ELSE
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
    END IF;
    wanted := ARRAY(
        SELECT cell.cell_id
        FROM core.cell_name AS cell
        WHERE cell.measure = of_measure AND cell.kind IN ('flow', 'stock') AND of_channel IN (cell.channel, 'all')
    );
    RETURN QUERY
    WITH sent AS (
        SELECT
            submission.unit_id, submission.platform_id, submission.batch_id, submission.revision, submission.received_at,
            submission.known_from, submission.stat_date, submission.cells, submission.figures, submission.row_numbers,
            submission.batch_ids, wanted AS taken
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
            submission.unit_id, submission.platform_id, submission.batch_id, submission.revision, submission.received_at,
            submission.known_from, submission.stat_date, submission.cells, submission.figures, submission.row_numbers,
            submission.batch_ids, ARRAY[carried.cell_id]
        FROM mart.stock_carried AS carried
        JOIN core.submission
            ON submission.stat_date = carried.carried_from AND submission.unit_id = carried.unit_id
            AND submission.dataset = 'stocks' AND submission.known_to = 'infinity'
        WHERE moment IS NULL AND of_dataset = 'stocks' AND carried.stat_date = day AND carried.unit_id = ANY(below)
            AND carried.cell_id = ANY(wanted)
    )

    SELECT
        division.division_code, place.division_name, place.level, known.channel, known.channel_name, figure.value,
        platform.platform, sent.revision, sent.received_at, sent.known_from, batch.batch_id, batch.source_name,
        figure.row_number, batch.sha256, sent.stat_date
    FROM sent
    CROSS JOIN LATERAL unnest(sent.cells, sent.figures, sent.row_numbers, sent.batch_ids)
        AS figure (cell_id, value, row_number, batch_id)
    JOIN core.cell_name AS known ON known.cell_id = figure.cell_id
    JOIN core.division ON division.division_id = sent.unit_id
    JOIN core.division_period AS place
        ON place.division_id = sent.unit_id AND place.valid_from <= day AND day < place.valid_to
    JOIN core.platform ON platform.platform_id = sent.platform_id
    JOIN landing.batch ON batch.batch_id = coalesce(figure.batch_id, sent.batch_id)
    WHERE figure.cell_id = ANY(sent.taken);
END
$$;

-- Units of some levels, at or below a division, each of whose figures of a period is at least so much: what an indicator
-- counts (ruling 16). Stocks are those of the period's last day, flows the unit's own over the period. Nothing of surveys.
CREATE FUNCTION mart.units_counted(of_period integer, of_division integer, of_levels text[], of_measures text[], fewest bigint[])
RETURNS TABLE (unit_code text, unit_name text, level text, figures text)
LANGUAGE plpgsql STABLE ROWS 1000 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    day date;
    below integer[];
BEGIN
    SELECT period.ends_on INTO day FROM mart.period WHERE period.period_id = of_period;
    below := ARRAY(SELECT lower.division_id FROM mart.division_below(of_division, day) AS lower);
    RETURN QUERY
    WITH condition AS (
        SELECT asked.measure, asked.at_least, measure.measure_id, measure.measure_name
        FROM unnest(of_measures, fewest) AS asked (measure, at_least)
        JOIN core.measure ON measure.measure = asked.measure AND measure.kind IN ('flow', 'stock')
    ),

    own AS (
        SELECT stock.division_id AS unit_id, cell.measure_id, sum(stock.value) AS value
        FROM mart.stock_own AS stock
        JOIN core.cell ON cell.cell_id = stock.cell_id
        WHERE stock.stat_date = day AND stock.division_id = ANY(below)
        GROUP BY stock.division_id, cell.measure_id
        UNION ALL
        SELECT flow.unit_id, cell.measure_id, sum(flow.value)
        FROM mart.period_own AS flow
        JOIN core.cell ON cell.cell_id = flow.cell_id
        WHERE flow.period_id = of_period AND flow.unit_id = ANY(below)
        GROUP BY flow.unit_id, cell.measure_id
    )

    SELECT
        division.division_code, place.division_name, place.level,
        string_agg(condition.measure_name || ' ' || own.value, '，' ORDER BY condition.measure)
    FROM own
    JOIN condition ON condition.measure_id = own.measure_id AND own.value >= condition.at_least
    JOIN core.division ON division.division_id = own.unit_id
    JOIN core.division_period AS place
        ON place.division_id = own.unit_id AND place.valid_from <= day AND day < place.valid_to
        AND place.level = ANY(of_levels)
    GROUP BY division.division_code, place.division_name, place.level
    HAVING count(*) = cardinality(of_measures);
END
$$;

DO $$
DECLARE
    shown text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pls_reader') THEN
        RETURN;
    END IF;
    FOREACH shown IN ARRAY ARRAY['held_row', 'question', 'closed_month', 'alert', 'reminder', 'ledger'] LOOP
        EXECUTE format('GRANT SELECT ON mart.%I TO pls_reader', shown);
    END LOOP;
END
$$;
