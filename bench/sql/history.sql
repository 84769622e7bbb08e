-- The working days of a month, each a copy of a day that is in: its batches, what they brought, and its roll-up. Rows are
-- copied whole, whatever their columns are.
WITH past AS (
    SELECT day.day::date AS stat_date, jsonb_build_object('stat_date', day.day::date) AS change
    FROM generate_series(%(first)s::date, %(last)s::date, interval '1 day') AS day
    WHERE extract(isodow FROM day.day) < 6
),

batch AS (
    INSERT INTO landing.batch (
        platform_id, dataset, stat_date, source_name, sha256, part_sizes, scope, scope_revision, received_at, pulled_at,
        state, rows_received, rows_loaded
    )
    SELECT
        was.platform_id, was.dataset, past.stat_date, was.source_name, was.sha256, was.part_sizes, was.scope,
        was.scope_revision, was.received_at, was.pulled_at, was.state, was.rows_received, was.rows_loaded
    FROM past
    JOIN landing.batch AS was ON was.stat_date = %(day)s
    RETURNING batch_id, stat_date, source_name
),

submission AS (
    INSERT INTO core.submission
    SELECT copy.*
    FROM batch
    JOIN landing.batch AS of_day ON of_day.stat_date = %(day)s AND of_day.source_name = batch.source_name
    JOIN core.submission AS was ON was.stat_date = %(day)s AND was.batch_id = of_day.batch_id
    CROSS JOIN LATERAL jsonb_populate_record(
        was, jsonb_build_object('stat_date', batch.stat_date, 'batch_id', batch.batch_id)
    ) AS copy
),

expected AS (
    INSERT INTO core.expected_day
    SELECT copy.*
    FROM past
    JOIN core.expected_day AS was ON was.stat_date = %(day)s
    CROSS JOIN LATERAL jsonb_populate_record(was, past.change) AS copy
),

total AS (
    INSERT INTO mart.daily_sum
    SELECT copy.*
    FROM past
    JOIN mart.daily_sum AS was ON was.stat_date = %(day)s
    CROSS JOIN LATERAL jsonb_populate_record(was, past.change) AS copy
),

reporting AS (
    INSERT INTO mart.daily_reporting
    SELECT copy.*
    FROM past
    JOIN mart.daily_reporting AS was ON was.stat_date = %(day)s
    CROSS JOIN LATERAL jsonb_populate_record(was, past.change) AS copy
)

INSERT INTO mart.daily_rollup
SELECT copy.*
FROM past
JOIN mart.daily_rollup AS was ON was.stat_date = %(day)s
CROSS JOIN LATERAL jsonb_populate_record(was, past.change) AS copy
