-- The totals of a division and day, or period, stand in one row, in two arrays of equal length in the order of cells, and so
-- do the sums of a unit's own figures: a row for each figure took five to eight times the room, most of it for row headers
-- and the key (docs/decisions/0013). Who reads mart.daily_total, mart.period_total and mart.period_own goes on reading them.
CREATE TABLE mart.daily_sum (
    stat_date date NOT NULL,
    division_id integer NOT NULL,
    cells smallint[] NOT NULL,
    figures bigint[] NOT NULL,
    PRIMARY KEY (stat_date, division_id),
    CHECK (cardinality(cells) = cardinality(figures))
) PARTITION BY RANGE (stat_date);

CREATE TABLE mart.period_sum (
    period_id integer NOT NULL,
    division_id integer NOT NULL,
    cells smallint[] NOT NULL,
    figures bigint[] NOT NULL,
    PRIMARY KEY (period_id, division_id),
    CHECK (cardinality(cells) = cardinality(figures))
) PARTITION BY LIST (period_id);

CREATE TABLE mart.unit_sum (
    period_id integer NOT NULL,
    unit_id integer NOT NULL,
    cells smallint[] NOT NULL,
    figures bigint[] NOT NULL,
    PRIMARY KEY (period_id, unit_id),
    CHECK (cardinality(cells) = cardinality(figures))
) PARTITION BY LIST (period_id);

ALTER TABLE mart.daily_total RENAME TO former_daily_total;
ALTER TABLE mart.period_total RENAME TO former_period_total;
ALTER TABLE mart.period_own RENAME TO former_period_own;

CREATE VIEW mart.daily_total AS
SELECT total.stat_date, total.division_id, figure.cell_id, figure.value
FROM mart.daily_sum AS total
CROSS JOIN LATERAL unnest(total.cells, total.figures) AS figure (cell_id, value);

CREATE VIEW mart.period_total AS
SELECT total.period_id, total.division_id, figure.cell_id, figure.value
FROM mart.period_sum AS total
CROSS JOIN LATERAL unnest(total.cells, total.figures) AS figure (cell_id, value);

CREATE VIEW mart.period_own AS
SELECT own.period_id, own.unit_id, figure.cell_id, figure.value
FROM mart.unit_sum AS own
CROSS JOIN LATERAL unnest(own.cells, own.figures) AS figure (cell_id, value);

DO $$
DECLARE
    moving record;
    part record;
    reading record;
BEGIN
    FOR moving IN
        SELECT *
        FROM (
            VALUES
            ('daily_total', 'daily_sum', 'stat_date, division_id'),
            ('period_total', 'period_sum', 'period_id, division_id'),
            ('period_own', 'unit_sum', 'period_id, unit_id')
        ) AS moving (was, becomes, key)
    LOOP
        FOR part IN
            SELECT class.relname AS was, replace(class.relname, moving.was, moving.becomes) AS becomes,
                pg_get_expr(class.relpartbound, class.oid) AS bound
            FROM pg_inherits
            JOIN pg_class AS class ON class.oid = pg_inherits.inhrelid
            WHERE pg_inherits.inhparent = format('mart.former_%s', moving.was)::regclass
        LOOP
            EXECUTE format('CREATE TABLE mart.%I PARTITION OF mart.%I %s', part.becomes, moving.becomes, part.bound);
            EXECUTE format(
                'INSERT INTO mart.%I (%s, cells, figures)'
                ' SELECT %s, array_agg(cell_id ORDER BY cell_id), array_agg(value ORDER BY cell_id)'
                ' FROM mart.%I GROUP BY %s ORDER BY %s',
                part.becomes, moving.key, moving.key, part.was, moving.key, moving.key
            );
            EXECUTE format('ANALYZE mart.%I', part.becomes);
        END LOOP;
        FOR reading IN
            SELECT DISTINCT
                class.oid::regclass AS name,
                -- A view that is replaced keeps its options only where they are said again.
                array_to_string(class.reloptions, ', ') AS options
            FROM pg_depend
            JOIN pg_rewrite ON pg_rewrite.oid = pg_depend.objid
            JOIN pg_class AS class ON class.oid = pg_rewrite.ev_class
            WHERE pg_depend.refobjid = format('mart.former_%s', moving.was)::regclass
                AND pg_depend.classid = 'pg_rewrite'::regclass
        LOOP
            EXECUTE format(
                'CREATE OR REPLACE VIEW %s %s AS %s',
                reading.name,
                CASE WHEN reading.options <> '' THEN format('WITH (%s)', reading.options) END,
                replace(pg_get_viewdef(reading.name), 'mart.former_' || moving.was, 'mart.' || moving.was)
            );
        END LOOP;
        EXECUTE format('DROP TABLE mart.former_%s', moving.was);
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION core.ensure_month(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    parent text;
    first_day date := date_trunc('month', day);
    suffix text := to_char(day, 'YYYYMM');
BEGIN
    IF to_regclass('core.submission_' || suffix) IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(7300002);
    IF to_regclass('core.submission_' || suffix) IS NOT NULL THEN
        RETURN;
    END IF;
    FOREACH parent IN ARRAY ARRAY['mart.daily_sum', 'mart.daily_reporting', 'core.submission'] LOOP
        EXECUTE format('CREATE TABLE %s_%s (LIKE %s INCLUDING ALL)', parent, suffix, parent);
        EXECUTE format(
            'ALTER TABLE %s ATTACH PARTITION %s_%s FOR VALUES FROM (%L) TO (%L)',
            parent, parent, suffix, first_day, (first_day + interval '1 month')::date
        );
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION core.analyze_month(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    suffix text := to_char(day, 'YYYYMM');
BEGIN
    EXECUTE format(
        'ANALYZE core.submission_%s (stat_date, unit_id, submission_id, platform_id, dataset, known_from, known_to)',
        suffix
    );
    EXECUTE format('ANALYZE mart.daily_sum_%s (stat_date, division_id)', suffix);
    EXECUTE format('ANALYZE mart.daily_reporting_%s', suffix);
END
$$;

CREATE OR REPLACE FUNCTION mart.ensure_period(name text, of_kind text, first_day date, last_day date) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    number integer;
    parent text;
BEGIN
    SELECT period_id INTO number FROM mart.period WHERE period = name;
    IF number IS NOT NULL THEN
        RETURN number;
    END IF;
    PERFORM pg_advisory_xact_lock(7300005);
    SELECT period_id INTO number FROM mart.period WHERE period = name;
    IF number IS NOT NULL THEN
        RETURN number;
    END IF;
    INSERT INTO mart.period (period, kind, starts_on, ends_on)
    VALUES (name, of_kind, first_day, last_day)
    RETURNING period_id INTO number;
    IF of_kind <> 'day' THEN
        FOREACH parent IN ARRAY ARRAY['mart.unit_sum', 'mart.period_sum', 'mart.period_reporting'] LOOP
            EXECUTE format('CREATE TABLE %s_%s (LIKE %s INCLUDING ALL)', parent, number, parent);
            EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s_%s FOR VALUES IN (%s)', parent, parent, number, number);
        END LOOP;
    END IF;
    RETURN number;
END
$$;
