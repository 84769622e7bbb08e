-- A submission is one unit's figures of one day from one platform, in one revision. Its figures stand in three arrays
-- of equal length, in the order of cells: docs/decisions/0002 says why, with measurements. Nothing is updated but
-- known_to: a later revision closes the earlier one, and any past table can be made again as it was known then.
CREATE SEQUENCE core.submission_id_seq;

CREATE TABLE core.submission (
    stat_date date NOT NULL,
    unit_id integer NOT NULL REFERENCES core.division,
    submission_id bigint NOT NULL DEFAULT nextval('core.submission_id_seq'),
    -- The batch's own platform and data set, repeated for the index below.
    platform_id smallint NOT NULL,
    batch_id bigint NOT NULL REFERENCES landing.batch,
    dataset text NOT NULL,
    revision bigint NOT NULL,
    received_at timestamptz NOT NULL,
    filled_at text,
    known_from timestamptz NOT NULL,
    known_to timestamptz NOT NULL DEFAULT 'infinity',
    is_nil boolean NOT NULL,
    is_withdrawn boolean NOT NULL DEFAULT false,
    cells smallint[] NOT NULL,
    figures bigint[] NOT NULL,
    row_numbers integer[] NOT NULL,
    PRIMARY KEY (stat_date, unit_id, submission_id),
    CHECK (known_from <= known_to),
    CHECK (cardinality(cells) = cardinality(figures) AND cardinality(cells) = cardinality(row_numbers)),
    CHECK (NOT (is_nil OR is_withdrawn) OR cardinality(cells) = 0)
) PARTITION BY RANGE (stat_date);

CREATE UNIQUE INDEX one_current_submission
    ON core.submission (stat_date, unit_id, platform_id, dataset) WHERE known_to = 'infinity';

-- One row per figure that counts today.
CREATE VIEW core.daily_count AS
SELECT
    submission.stat_date,
    submission.unit_id,
    figure.cell_id,
    figure.value,
    figure.row_number,
    submission.submission_id,
    submission.batch_id
FROM core.submission
CROSS JOIN LATERAL unnest(submission.cells, submission.figures, submission.row_numbers)
    AS figure (cell_id, value, row_number)
WHERE submission.known_to = 'infinity' AND submission.dataset = 'daily';

CREATE FUNCTION core.ensure_month(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    parent text;
    first_day date := date_trunc('month', day);
BEGIN
    IF to_regclass(format('core.submission_%s', to_char(first_day, 'YYYYMM'))) IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(7300002);
    FOREACH parent IN ARRAY ARRAY['mart.daily_total', 'mart.daily_reporting', 'core.submission'] LOOP
        EXECUTE format(
            'CREATE TABLE IF NOT EXISTS %s_%s PARTITION OF %s FOR VALUES FROM (%L) TO (%L)',
            parent, to_char(first_day, 'YYYYMM'), parent, first_day, (first_day + interval '1 month')::date
        );
    END LOOP;
END
$$;

-- A month that has just been written is unknown to the planner until its statistics are taken; the arrays need none.
CREATE FUNCTION core.analyze_month(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    suffix text := to_char(day, 'YYYYMM');
BEGIN
    EXECUTE format(
        'ANALYZE core.submission_%s (stat_date, unit_id, submission_id, platform_id, dataset, known_from, known_to)',
        suffix
    );
    EXECUTE format('ANALYZE mart.daily_total_%s', suffix);
    EXECUTE format('ANALYZE mart.daily_reporting_%s', suffix);
END
$$;
