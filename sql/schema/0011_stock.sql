-- Stocks: what units keep at a month's end. They are submissions of the data set 'stocks' whose stat_date is the last day
-- of the month; their channel is 0. They add up over divisions, never over time.
ALTER TABLE landing.pull
    DROP CONSTRAINT pull_kind_check,
    ADD CONSTRAINT pull_kind_check CHECK (kind IN ('day', 'month', 'since'));

-- The levels that report it.
ALTER TABLE core.measure ADD COLUMN levels text[] NOT NULL DEFAULT '{}';

-- Who is expected is kept for both data sets.
ALTER TABLE core.expected_day
    ADD COLUMN dataset text NOT NULL DEFAULT 'daily',
    DROP CONSTRAINT expected_day_pkey,
    ADD PRIMARY KEY (stat_date, dataset, known_from);

-- One row per stock that counts today.
CREATE VIEW core.stock_count AS
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
CREATE TABLE mart.stock_rollup (
    stat_date date PRIMARY KEY,
    loaded_at timestamptz,
    rolled_up_at timestamptz
);

-- Every division of the month, on the tree of its last day: whether its own unit is expected, and reported; which cells it
-- owes and brought no figure for (all of them after a nil report).
CREATE TABLE mart.stock_reporting (
    stat_date date NOT NULL,
    division_id integer NOT NULL,
    is_leaf boolean NOT NULL,
    is_expected boolean NOT NULL,
    is_reported boolean NOT NULL,
    is_nil boolean NOT NULL,
    lacking smallint[] NOT NULL,
    PRIMARY KEY (stat_date, division_id)
);

-- What stands in for a unit's missing stock where the catalogue lets it (carry_months), and of which month's end it is.
CREATE TABLE mart.stock_carried (
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
CREATE TABLE mart.stock_total (
    stat_date date NOT NULL,
    division_id integer NOT NULL,
    cell_id smallint NOT NULL,
    value bigint,
    units_expected integer NOT NULL,
    units_reported integer NOT NULL,
    carried_from date,
    PRIMARY KEY (stat_date, division_id, cell_id)
);

-- What each unit reported itself, and what it owes beside that: 0 after a nil report, null when it is missing. Arrays are
-- unnested in the select list: as functions of a FROM they cost three times as much.
CREATE VIEW mart.stock_own AS
SELECT
    unit.stat_date,
    unit.division_id,
    unit.is_leaf,
    unnest(submission.cells) AS cell_id,
    unnest(submission.figures) AS value,
    unit.is_expected::integer AS units_expected,
    1 AS units_reported,
    NULL::date AS carried_from
FROM mart.stock_reporting AS unit
JOIN core.submission
    ON submission.stat_date = unit.stat_date AND submission.unit_id = unit.division_id
    AND submission.dataset = 'stocks' AND submission.known_to = 'infinity'
UNION ALL
SELECT
    unit.stat_date,
    unit.division_id,
    unit.is_leaf,
    owed.cell_id,
    CASE WHEN unit.is_nil THEN 0 ELSE carried.value END,
    unit.is_expected::integer,
    unit.is_nil::integer,
    carried.carried_from
FROM mart.stock_reporting AS unit
CROSS JOIN LATERAL unnest(unit.lacking) AS owed (cell_id)
LEFT JOIN mart.stock_carried AS carried
    ON carried.stat_date = unit.stat_date AND carried.unit_id = unit.division_id AND carried.cell_id = owed.cell_id
-- What was loaded after the last roll-up is lacking no more.
WHERE cardinality(unit.lacking) > 0 AND NOT EXISTS (
    SELECT FROM core.submission
    WHERE submission.stat_date = unit.stat_date AND submission.unit_id = unit.division_id
        AND submission.dataset = 'stocks' AND submission.known_to = 'infinity'
        AND owed.cell_id = ANY(submission.cells)
);

-- The stocks of a month at every division, leaves included; a division has a row for what it or a unit below it owes.
CREATE VIEW mart.stock_figure AS
SELECT
    total.stat_date, total.division_id, total.cell_id, total.value, total.units_expected, total.units_reported,
    total.carried_from
FROM mart.stock_total AS total
UNION ALL
SELECT own.stat_date, own.division_id, own.cell_id, own.value, own.units_expected, own.units_reported, own.carried_from
FROM mart.stock_own AS own
WHERE own.is_leaf;
