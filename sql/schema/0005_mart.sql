-- What people read. Tables are private; the views are the interface.
CREATE SCHEMA mart;

-- Figures of every division that has others below it: its own unit's plus all below. A division without any below
-- it is not stored here: its figures are its own submissions'. No foreign keys: rows are made from core's alone, by one
-- statement, and checking 130,000 of them again took half of a province's roll-up.
CREATE TABLE mart.daily_total (
    stat_date date NOT NULL,
    division_id integer NOT NULL,
    cell_id smallint NOT NULL,
    value bigint NOT NULL,
    PRIMARY KEY (stat_date, division_id, cell_id)
) PARTITION BY RANGE (stat_date);

-- Who was expected and who reported, for every division of the day.
CREATE TABLE mart.daily_reporting (
    stat_date date NOT NULL,
    division_id integer NOT NULL,
    is_leaf boolean NOT NULL,
    is_expected boolean NOT NULL,
    is_reported boolean NOT NULL,
    has_figures boolean NOT NULL,
    units_expected integer NOT NULL,
    units_reported integer NOT NULL,
    PRIMARY KEY (stat_date, division_id)
) PARTITION BY RANGE (stat_date);

-- When a day was last loaded and last rolled up; a day loaded later than it was rolled up is waiting.
CREATE TABLE mart.daily_rollup (
    stat_date date PRIMARY KEY,
    loaded_at timestamptz,
    rolled_up_at timestamptz
);

CREATE VIEW mart.daily_statistics AS
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
        CASE WHEN silent.units_reported > 0 THEN 0 END
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
JOIN core.channel ON channel.channel_id = cell.channel_id;

CREATE VIEW mart.submission_status AS
SELECT
    division.division_code AS unit_code,
    period.division_name AS unit_name,
    period.level,
    parent.division_code AS parent_code,
    'daily'::text AS dataset,
    reporting.stat_date,
    reporting.is_expected,
    received.received_at,
    received.revision,
    coalesce(received.is_nil, false) AS is_nil,
    CASE
        WHEN reporting.is_reported THEN 'received'
        WHEN held.unit_code IS NOT NULL THEN 'rejected'
        WHEN reporting.is_expected THEN 'missing'
        ELSE 'not_expected'
    END AS status
FROM mart.daily_reporting AS reporting
JOIN core.division ON division.division_id = reporting.division_id
JOIN core.division_period AS period
    ON period.division_id = reporting.division_id
    AND period.valid_from <= reporting.stat_date AND reporting.stat_date < period.valid_to
LEFT JOIN core.division AS parent ON parent.division_id = period.parent_id
LEFT JOIN (
    SELECT
        submission.stat_date,
        submission.unit_id,
        min(submission.received_at) AS received_at,
        max(submission.revision) AS revision,
        bool_and(submission.is_nil) AS is_nil
    FROM core.submission
    WHERE submission.known_to = 'infinity' AND NOT submission.is_withdrawn AND submission.dataset = 'daily'
    GROUP BY submission.stat_date, submission.unit_id
) AS received ON received.stat_date = reporting.stat_date AND received.unit_id = reporting.division_id
LEFT JOIN (
    SELECT quarantine.stat_date, quarantine.unit_code
    FROM quality.quarantine
    WHERE quarantine.state = 'held'
    UNION
    SELECT flag.stat_date, flag.unit_code
    FROM quality.flag
    WHERE flag.check_code = 'nil_held'
) AS held ON held.stat_date = reporting.stat_date AND held.unit_code = division.division_code;

CREATE VIEW mart.ledger AS
SELECT
    batch.batch_id,
    platform.platform,
    batch.dataset,
    batch.stat_date,
    batch.source_name,
    batch.rows_received,
    batch.rows_loaded,
    batch.rows_quarantined,
    batch.rows_duplicate,
    batch.rows_superseded,
    batch.sha256,
    batch.state,
    batch.message,
    batch.received_at,
    batch.pulled_at
FROM landing.batch
JOIN core.platform ON platform.platform_id = batch.platform_id;
