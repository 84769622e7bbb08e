-- What a county reads with SQL: the views of mart under their own names in a schema of their own, its own rows alone. Its users
-- may use no other schema, and so call no function of theirs.

-- Whoever signs in as reader sees this division and all below it; without a row, nothing.
CREATE TABLE core.reader_scope (
    reader name NOT NULL,
    division_code text NOT NULL REFERENCES core.division (division_code),
    PRIMARY KEY (reader, division_code)
);

-- Of whoever has signed in, whatever role has been taken on since; on today's divisions.
CREATE VIEW core.reader_division AS
WITH RECURSIVE place AS (
    SELECT period.division_id, period.parent_id
    FROM core.division_period AS period
    WHERE period.valid_from <= (statement_timestamp() AT TIME ZONE 'Asia/Shanghai')::date
        AND (statement_timestamp() AT TIME ZONE 'Asia/Shanghai')::date < period.valid_to
),

below AS (
    SELECT division.division_id
    FROM core.reader_scope AS scope
    JOIN core.division ON division.division_code = scope.division_code
    WHERE scope.reader = session_user
    UNION
    SELECT place.division_id
    FROM below
    JOIN place ON place.parent_id = below.division_id
)

SELECT division.division_code
FROM below
JOIN core.division ON division.division_id = below.division_id;

CREATE SCHEMA county;
DO $$
DECLARE
    shown text;
BEGIN
    FOREACH shown IN ARRAY ARRAY[
        'daily_statistics', 'period_statistics', 'indicator_value', 'evaluation', 'evaluation_item', 'satisfaction',
        'reporting_rate'
    ] LOOP
        EXECUTE format(
            'CREATE VIEW county.%I WITH (security_barrier) AS SELECT shown.* FROM mart.%I AS shown'
            ' WHERE shown.division_code IN (SELECT reader_division.division_code FROM core.reader_division)',
            shown, shown
        );
    END LOOP;
END
$$;

-- mart.submission_status of one day: who has reported and who has not.
CREATE FUNCTION county.submission_status(day date) RETURNS SETOF mart.submission_status
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT status.*
    FROM mart.submission_status AS status
    WHERE status.stat_date = day
        AND status.unit_code IN (SELECT reader_division.division_code FROM core.reader_division);
END
$$;
