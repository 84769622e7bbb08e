-- The same submissions in three quarters of the room: columns of eight bytes stand first, so that nothing is padded, and
-- the arrays of one without figures, which is most of them, are null: an empty array takes thirteen bytes. The table is
-- written anew, month by month.
CREATE SCHEMA former;
ALTER TABLE core.submission SET SCHEMA former;

CREATE TABLE core.submission (
    submission_id bigint NOT NULL DEFAULT nextval('core.submission_id_seq'),
    batch_id bigint NOT NULL REFERENCES landing.batch,
    revision bigint NOT NULL,
    received_at timestamptz NOT NULL,
    known_from timestamptz NOT NULL,
    known_to timestamptz NOT NULL DEFAULT 'infinity',
    stat_date date NOT NULL,
    unit_id integer NOT NULL REFERENCES core.division,
    -- The batch's own platform and data set, repeated for the index below.
    platform_id smallint NOT NULL,
    ordinal smallint NOT NULL DEFAULT 0,
    is_nil boolean NOT NULL,
    is_withdrawn boolean NOT NULL DEFAULT false,
    dataset text NOT NULL,
    filled_at text,
    cells smallint[],
    figures bigint[],
    row_numbers integer[],
    batch_ids bigint[],
    PRIMARY KEY (stat_date, unit_id, submission_id),
    CHECK (known_from <= known_to),
    CHECK (num_nulls(cells, figures, row_numbers) IN (0, 3)),
    CHECK (cardinality(cells) > 0),
    CHECK (cardinality(cells) = cardinality(figures) AND cardinality(cells) = cardinality(row_numbers)),
    CHECK (NOT (is_nil OR is_withdrawn) OR cells IS NULL),
    CHECK (batch_ids IS NULL OR (cells IS NOT NULL AND cardinality(batch_ids) = cardinality(cells)))
) PARTITION BY RANGE (stat_date);

DO $$
DECLARE
    part record;
    reading record;
BEGIN
    FOR part IN
        SELECT class.relname AS name, pg_get_expr(class.relpartbound, class.oid) AS bound
        FROM pg_inherits
        JOIN pg_class AS class ON class.oid = pg_inherits.inhrelid
        WHERE pg_inherits.inhparent = 'former.submission'::regclass
        ORDER BY class.relname
    LOOP
        EXECUTE format('ALTER TABLE core.%I SET SCHEMA former', part.name);
        EXECUTE format('CREATE TABLE core.%I PARTITION OF core.submission %s', part.name, part.bound);
        EXECUTE format(
            'INSERT INTO core.%I (submission_id, batch_id, revision, received_at, known_from, known_to, stat_date,'
            ' unit_id, platform_id, ordinal, is_nil, is_withdrawn, dataset, filled_at, cells, figures, row_numbers,'
            ' batch_ids)'
            ' SELECT submission_id, batch_id, revision, received_at, known_from, known_to, stat_date, unit_id,'
            ' platform_id, ordinal, is_nil, is_withdrawn, dataset, filled_at, nullif(cells, ''{}''),'
            ' nullif(figures, ''{}''), nullif(row_numbers, ''{}''), nullif(batch_ids, ''{}'')'
            ' FROM former.%I ORDER BY stat_date, unit_id, submission_id',
            part.name, part.name
        );
        EXECUTE format('ANALYZE core.%I', part.name);
    END LOOP;
    FOR reading IN
        SELECT DISTINCT
            class.oid::regclass AS name,
            -- A view that is replaced keeps its options only where they are said again.
            array_to_string(class.reloptions, ', ') AS options
        FROM pg_depend
        JOIN pg_rewrite ON pg_rewrite.oid = pg_depend.objid
        JOIN pg_class AS class ON class.oid = pg_rewrite.ev_class
        WHERE pg_depend.refobjid = 'former.submission'::regclass
            AND pg_depend.classid = 'pg_rewrite'::regclass
    LOOP
        EXECUTE format(
            'CREATE OR REPLACE VIEW %s %s AS %s',
            reading.name,
            CASE WHEN reading.options <> '' THEN format('WITH (%s)', reading.options) END,
            replace(pg_get_viewdef(reading.name), 'former.submission', 'core.submission')
        );
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION mart.may_see_survey() RETURNS boolean LANGUAGE sql STABLE
RETURN has_table_privilege(current_user, 'core.submission'::regclass, 'SELECT');

DROP TABLE former.submission;
DROP SCHEMA former;

CREATE UNIQUE INDEX one_current_submission
    ON core.submission (stat_date, unit_id, platform_id, dataset) WHERE known_to = 'infinity';
