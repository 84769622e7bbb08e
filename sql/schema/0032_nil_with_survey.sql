-- A nil report may bring survey answers: what it says nothing of is 0 (ruling 12), what it says is kept. The former check
-- asked for more, so that what is stored needs no look.
DO $$
DECLARE
    former record;
BEGIN
    FOR former IN
        SELECT conname AS name
        FROM pg_constraint
        WHERE conrelid = 'core.submission'::regclass AND contype = 'c'
            AND pg_get_constraintdef(oid) LIKE '%is_nil%'
    LOOP
        EXECUTE format('ALTER TABLE core.submission DROP CONSTRAINT %I', former.name);
    END LOOP;
END
$$;

ALTER TABLE core.submission
ADD CONSTRAINT submission_withdrawn_is_empty CHECK (NOT is_withdrawn OR cells IS NULL) NOT VALID;

-- A submission without any value is no nil report: what was 0 for whoever had reported is 0 for who said so.
CREATE OR REPLACE VIEW mart.daily_statistics AS
WITH figure AS (
    SELECT total.stat_date, total.division_id, total.cell_id, total.value
    FROM mart.daily_total AS total
    UNION ALL
    SELECT leaf.stat_date, leaf.division_id, count.cell_id, count.value
    FROM mart.daily_reporting AS leaf
    JOIN core.daily_count AS count ON count.stat_date = leaf.stat_date AND count.unit_id = leaf.division_id
    WHERE leaf.is_leaf
    UNION ALL
    SELECT leaf.stat_date, leaf.division_id, all_cell.cell_id, sum(count.value)::bigint
    FROM mart.daily_reporting AS leaf
    JOIN core.daily_count AS count ON count.stat_date = leaf.stat_date AND count.unit_id = leaf.division_id
    JOIN core.cell USING (cell_id)
    JOIN core.cell AS all_cell ON all_cell.measure_id = cell.measure_id AND all_cell.channel_id = 0
    WHERE leaf.is_leaf
    GROUP BY leaf.stat_date, leaf.division_id, all_cell.cell_id
    UNION ALL
    -- A division that owes figures is never absent: its first measure is 0 after nil reports, null when nothing came.
    SELECT
        silent.stat_date,
        silent.division_id,
        (
            SELECT cell.cell_id
            FROM core.cell
            JOIN core.measure USING (measure_id)
            WHERE cell.channel_id = 0
            ORDER BY measure.position
            LIMIT 1
        ),
        CASE WHEN silent.nil_levels <> 0 THEN 0 END
    FROM mart.daily_reporting AS silent
    WHERE NOT silent.has_figures AND (silent.units_expected > 0 OR silent.units_reported > 0)
)
SELECT
    division.division_code,
    period.division_name,
    period.level,
    parent.division_code AS parent_code,
    reporting.stat_date,
    measure.measure,
    channel.channel,
    figure.value,
    reporting.units_expected,
    reporting.units_reported,
    measure.measure_name,
    channel.channel_name,
    measure.unit
FROM mart.daily_reporting AS reporting
JOIN figure ON figure.stat_date = reporting.stat_date AND figure.division_id = reporting.division_id
JOIN core.division ON division.division_id = reporting.division_id
JOIN core.division_period AS period
    ON period.division_id = reporting.division_id
    AND period.valid_from <= reporting.stat_date AND reporting.stat_date < period.valid_to
LEFT JOIN core.division AS parent ON parent.division_id = period.parent_id
JOIN core.cell ON cell.cell_id = figure.cell_id
JOIN core.measure ON measure.measure_id = cell.measure_id
JOIN core.channel ON channel.channel_id = cell.channel_id
WHERE measure.kind <> 'carried';

DO $$
DECLARE
    change record;
    source text;
BEGIN
    -- Between the first change of a function and its last its parts do not fit each other.
    PERFORM set_config('check_function_bodies', 'off', true);
    FOR change IN
        SELECT *
        FROM (
            VALUES
            (
                'mart.daily_statistics_as_of(timestamptz, date)',
                'submission.unit_id, submission.cells, submission.figures',
                'submission.unit_id, submission.cells, submission.figures, submission.is_nil'
            ),
            (
                'mart.daily_statistics_as_of(timestamptz, date)',
                'coalesce(bool_or(sender.has_figures), false) AS has_figures',
                'coalesce(bool_or(sender.has_figures), false) AS has_figures, bool_or(sender.has_nil) AS has_nil'
            ),
            (
                'mart.daily_statistics_as_of(timestamptz, date)',
                'bool_or(cardinality(sent.cells) > 0) AS has_figures',
                'bool_or(sent.cells IS NOT NULL) AS has_figures, bool_or(sent.is_nil) AS has_nil'
            ),
            (
                'mart.daily_statistics_as_of(timestamptz, date)',
                'CASE WHEN reporting.units_reported > 0 THEN 0 END',
                'CASE WHEN reporting.has_nil THEN 0 END'
            ),
            (
                'mart.period_statistics_of(text, text, integer[], text[])',
                'CASE WHEN reporting.reported > 0 THEN 0 END',
                'CASE WHEN reporting.nil_levels <> 0 THEN 0 END'
            ),
            (
                'mart.period_statistics_among(text, integer[], text[])',
                'CASE WHEN here.reported > 0 THEN 0 END',
                'CASE WHEN here.nil_levels <> 0 THEN 0 END'
            )
        ) AS change (routine, old, new)
    LOOP
        source := pg_get_functiondef(change.routine::regprocedure);
        IF strpos(source, change.old) = 0 THEN
            RAISE EXCEPTION '% is not as expected', change.routine;
        END IF;
        EXECUTE replace(source, change.old, change.new);
    END LOOP;
END
$$;
