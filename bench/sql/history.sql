-- The working days of a month, each a copy of a day that is in: its batches, what they brought, and its roll-up.
WITH past AS (
    SELECT day.day::date AS stat_date
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
    INSERT INTO core.submission (
        stat_date, unit_id, platform_id, batch_id, dataset, revision, received_at, filled_at, known_from, is_nil, cells,
        figures, row_numbers
    )
    SELECT
        batch.stat_date, was.unit_id, was.platform_id, batch.batch_id, was.dataset, was.revision, was.received_at,
        was.filled_at, was.known_from, was.is_nil, was.cells, was.figures, was.row_numbers
    FROM batch
    JOIN landing.batch AS of_day ON of_day.stat_date = %(day)s AND of_day.source_name = batch.source_name
    JOIN core.submission AS was ON was.stat_date = %(day)s AND was.batch_id = of_day.batch_id
),

expected AS (
    INSERT INTO core.expected_day (stat_date, dataset, platform_ids, known_from, known_to, unit_ids, due_at, cutoff_at)
    SELECT
        past.stat_date, was.dataset, was.platform_ids, was.known_from, was.known_to, was.unit_ids, was.due_at,
        was.cutoff_at
    FROM past
    JOIN core.expected_day AS was ON was.stat_date = %(day)s
),

total AS (
    INSERT INTO mart.daily_total (stat_date, division_id, cell_id, value)
    SELECT past.stat_date, was.division_id, was.cell_id, was.value
    FROM past
    JOIN mart.daily_total AS was ON was.stat_date = %(day)s
),

reporting AS (
    INSERT INTO mart.daily_reporting (
        stat_date, division_id, is_leaf, is_expected, is_reported, has_figures, units_expected, units_reported, received,
        on_time, late, rejected, nil_levels, cutoff_at
    )
    SELECT
        past.stat_date, was.division_id, was.is_leaf, was.is_expected, was.is_reported, was.has_figures,
        was.units_expected, was.units_reported, was.received, was.on_time, was.late, was.rejected, was.nil_levels,
        was.cutoff_at
    FROM past
    JOIN mart.daily_reporting AS was ON was.stat_date = %(day)s
)

INSERT INTO mart.daily_rollup (stat_date, loaded_at, rolled_up_at, judged_at)
SELECT past.stat_date, was.loaded_at, was.rolled_up_at, was.judged_at
FROM past
JOIN mart.daily_rollup AS was ON was.stat_date = %(day)s
