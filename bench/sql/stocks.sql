-- Stocks as the month's roll-up leaves them, for as long as no migration makes them.
ALTER TABLE core.measure ADD COLUMN IF NOT EXISTS levels text[] NOT NULL DEFAULT '{}';

-- One row per stock that counts today.
CREATE OR REPLACE VIEW core.stock_count AS
SELECT
    submission.stat_date,
    submission.unit_id,
    figure.cell_id,
    figure.value,
    figure.row_number,
    submission.submission_id,
    coalesce(figure.batch_id, submission.batch_id) AS batch_id
FROM core.submission
CROSS JOIN LATERAL unnest(submission.cells, submission.figures, submission.row_numbers, submission.batch_ids)
    AS figure (cell_id, value, row_number, batch_id)
WHERE submission.known_to = 'infinity' AND submission.dataset = 'stocks';

-- When the stocks of a month were last loaded and last rolled up; one loaded later than it was rolled up is waiting.
CREATE TABLE IF NOT EXISTS mart.stock_rollup (
    stat_date date PRIMARY KEY,
    loaded_at timestamptz,
    rolled_up_at timestamptz
);

-- Every division of the month, on the tree of its last day: whether its own unit is expected, and reported.
CREATE TABLE IF NOT EXISTS mart.stock_reporting (
    stat_date date NOT NULL,
    division_id integer NOT NULL,
    level text NOT NULL,
    is_leaf boolean NOT NULL,
    is_expected boolean NOT NULL,
    is_reported boolean NOT NULL,
    is_nil boolean NOT NULL,
    PRIMARY KEY (stat_date, division_id)
);

-- What stands in for a unit's missing stock where the catalogue lets it (carry_months), and of which month's end it is.
CREATE TABLE IF NOT EXISTS mart.stock_carried (
    stat_date date NOT NULL,
    unit_id integer NOT NULL,
    cell_id smallint NOT NULL,
    value bigint NOT NULL,
    carried_from date NOT NULL CHECK (carried_from < stat_date),
    PRIMARY KEY (stat_date, unit_id, cell_id)
);

-- Stocks of every division that has others below it: its own unit's plus those of all below; null when none came.
-- units_expected are the units of the measure's own levels, units_reported those of them or others whose figure came for
-- this very month; carried_from is the oldest month that went in, where one was carried forward.
CREATE TABLE IF NOT EXISTS mart.stock_total (
    stat_date date NOT NULL,
    division_id integer NOT NULL,
    cell_id smallint NOT NULL,
    value bigint,
    units_expected integer NOT NULL,
    units_reported integer NOT NULL,
    carried_from date,
    PRIMARY KEY (stat_date, division_id, cell_id)
);

-- What each unit owes or reported itself: 0 after a nil report, null when it is missing.
CREATE OR REPLACE VIEW mart.stock_own AS
SELECT
    unit.stat_date,
    unit.division_id,
    unit.is_leaf,
    cell.cell_id,
    coalesce(count.value, CASE WHEN unit.is_nil THEN 0 END, carried.value) AS value,
    unit.is_expected::integer AS units_expected,
    (count.value IS NOT NULL OR unit.is_nil)::integer AS units_reported,
    carried.carried_from
FROM mart.stock_reporting AS unit
JOIN core.measure ON measure.kind = 'stock' AND unit.level = ANY(measure.levels)
JOIN core.cell ON cell.measure_id = measure.measure_id AND cell.channel_id = 0
LEFT JOIN core.stock_count AS count
    ON count.stat_date = unit.stat_date AND count.unit_id = unit.division_id AND count.cell_id = cell.cell_id
LEFT JOIN mart.stock_carried AS carried
    ON carried.stat_date = unit.stat_date AND carried.unit_id = unit.division_id AND carried.cell_id = cell.cell_id
WHERE unit.is_expected OR unit.is_nil OR count.value IS NOT NULL;

-- The stocks of a month at every division, leaves included; a division has a row for what it or a unit below it owes.
CREATE OR REPLACE VIEW mart.stock_figure AS
SELECT
    total.stat_date, total.division_id, total.cell_id, total.value, total.units_expected, total.units_reported,
    total.carried_from
FROM mart.stock_total AS total
UNION ALL
SELECT own.stat_date, own.division_id, own.cell_id, own.value, own.units_expected, own.units_reported, own.carried_from
FROM mart.stock_own AS own
WHERE own.is_leaf;
