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

-- Survey answers, which say nothing about what was done.
CREATE FUNCTION core.survey_cells() RETURNS smallint[] LANGUAGE sql STABLE
RETURN ARRAY(
    SELECT cell.cell_id FROM core.cell JOIN core.measure USING (measure_id) WHERE measure.kind = 'survey'
);

-- A submission without any value is no nil report: what was 0 for whoever had reported is 0 for who said so. Survey
-- answers alone are no figures: who brings them and is nil has 0.
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
                'bool_or(NOT sent.cells <@ (SELECT core.survey_cells())) AS has_figures, bool_or(sent.is_nil) AS has_nil'
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
                'mart.period_statistics_of(text, text, integer[], text[])',
                'SELECT FROM figure WHERE figure.division_id = reporting.division_id',
                'SELECT FROM figure JOIN core.cell_name AS told ON told.cell_id = figure.cell_id AND told.kind = ''flow'''
                ' WHERE figure.division_id = reporting.division_id'
            ),
            (
                'mart.period_statistics_among(text, integer[], text[])',
                'CASE WHEN here.reported > 0 THEN 0 END',
                'CASE WHEN here.nil_levels <> 0 THEN 0 END'
            ),
            (
                'mart.period_statistics_among(text, integer[], text[])',
                'WHERE measure.kind = ''carried''',
                'WHERE measure.kind NOT IN (''flow'', ''stock'')'
            )
        ) AS change (routine, old, new)
    LOOP
        source := pg_get_functiondef(change.routine::regprocedure);
        IF strpos(source, change.old) = 0 THEN
            RAISE EXCEPTION '% is not as expected', change.routine;
        END IF;
        EXECUTE replace(source, change.old, change.new);
    END LOOP;
    -- The view stays wrapped as it is (0016): changed is only when its first measure is 0.
    source := pg_get_viewdef('mart.daily_statistics'::regclass);
    IF strpos(source, '(silent.units_reported > 0) THEN') = 0 THEN
        RAISE EXCEPTION 'mart.daily_statistics is not as expected';
    END IF;
    EXECUTE 'CREATE OR REPLACE VIEW mart.daily_statistics WITH (security_barrier) AS '
    || replace(source, '(silent.units_reported > 0) THEN', '(silent.nil_levels <> 0) THEN');
END
$$;
