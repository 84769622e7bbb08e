-- Totals of months, quarters and years, and what people read of them.

-- Carried measures are reported by nobody: sums, over only those submissions that have carrying in the same channel
-- (ruling 18).
ALTER TABLE core.measure
    DROP CONSTRAINT measure_kind_check,
    ADD CONSTRAINT measure_kind_check CHECK (kind IN ('flow', 'survey', 'stock', 'carried'));

CREATE TABLE core.carried_measure (
    measure_id smallint PRIMARY KEY REFERENCES core.measure,
    sums_id smallint NOT NULL REFERENCES core.measure,
    carrying_id smallint NOT NULL REFERENCES core.measure
);

CREATE VIEW core.carried_cell AS
SELECT cell.cell_id, sums.cell_id AS sums_cell_id, carrying.cell_id AS carrying_cell_id
FROM core.carried_measure AS carried
JOIN core.cell ON cell.measure_id = carried.measure_id
JOIN core.cell AS sums ON sums.measure_id = carried.sums_id AND sums.channel_id = cell.channel_id
JOIN core.cell AS carrying ON carrying.measure_id = carried.carrying_id AND carrying.channel_id = cell.channel_id
WHERE cell.channel_id <> 0;

ALTER TABLE mart.period
    -- Days of the period that went into its totals.
    ADD COLUMN days_known integer NOT NULL DEFAULT 0,
    -- Below this share of expected submissions its figures are provisional.
    ADD COLUMN provisional_below numeric NOT NULL DEFAULT 0.9;

ALTER TABLE mart.period_reporting
    ADD COLUMN rejected integer NOT NULL DEFAULT 0,
    -- Days on which the division's own unit had an accepted submission.
    ADD COLUMN own_reported integer NOT NULL DEFAULT 0,
    ADD COLUMN cutoff_at timestamptz;

-- A period's rows are asked for one period at a time: PostgreSQL would go through the partitions of all others before it
-- knew which one it needs. These functions know the number of the period before they are planned.
CREATE FUNCTION mart.period_reporting_of(of_period integer) RETURNS SETOF mart.period_reporting
LANGUAGE plpgsql STABLE ROWS 60000 SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY SELECT reporting.* FROM mart.period_reporting AS reporting WHERE reporting.period_id = of_period;
END
$$;

-- What a cell is called, and at which levels it is owed (bit 2^depth of core.level).
CREATE VIEW core.cell_name AS
SELECT
    cell.cell_id, measure.measure, measure.measure_name, measure.unit, measure.kind, measure.position,
    channel.channel_id, channel.channel, channel.channel_name, all_cell.cell_id AS all_cell_id, owing.levels
FROM core.cell
JOIN core.measure ON measure.measure_id = cell.measure_id
JOIN core.channel ON channel.channel_id = cell.channel_id
JOIN core.cell AS all_cell ON all_cell.measure_id = cell.measure_id AND all_cell.channel_id = 0
CROSS JOIN LATERAL (
    SELECT coalesce(bit_or(1 << level.depth), 0) AS levels
    FROM core.level
    WHERE level.level = ANY(measure.levels)
) AS owing;

-- The figures of a period: of divisions with others below them as totalled, of the others their own unit's; channel 0 is
-- the total over channels. Carried measures are among them. Of all divisions, or of some.
CREATE FUNCTION mart.period_figure_of(of_period integer, of_divisions integer[] DEFAULT NULL)
RETURNS TABLE (division_id integer, cell_id smallint, value bigint)
LANGUAGE sql STABLE ROWS 100000 AS $$
    SELECT total.division_id, total.cell_id, total.value
    FROM mart.period_total AS total
    WHERE total.period_id = of_period AND (of_divisions IS NULL OR total.division_id = ANY(of_divisions))
    UNION ALL
    SELECT own.unit_id, own.cell_id, own.value
    FROM mart.period_own AS own
    JOIN mart.period_reporting AS leaf ON leaf.division_id = own.unit_id AND leaf.is_leaf
    WHERE own.period_id = of_period AND leaf.period_id = of_period
        AND (of_divisions IS NULL OR own.unit_id = ANY(of_divisions))
    UNION ALL
    SELECT own.unit_id, all_cell.cell_id, sum(own.value)::bigint
    FROM mart.period_own AS own
    JOIN mart.period_reporting AS leaf ON leaf.division_id = own.unit_id AND leaf.is_leaf
    JOIN core.cell ON cell.cell_id = own.cell_id
    JOIN core.cell AS all_cell ON all_cell.measure_id = cell.measure_id AND all_cell.channel_id = 0
    WHERE own.period_id = of_period AND leaf.period_id = of_period
        AND (of_divisions IS NULL OR own.unit_id = ANY(of_divisions))
    GROUP BY own.unit_id, all_cell.cell_id
$$;

-- Whether a division's figures are provisional (初步): the period is not whole, or too few have reported.
CREATE FUNCTION mart.is_provisional(of_period mart.period, expected bigint, received bigint) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT
        of_period.days_known < of_period.ends_on - of_period.starts_on + 1
        OR coalesce(received < of_period.provisional_below * expected, false)
$$;

-- One period and level of mart.period_statistics.
CREATE FUNCTION mart.period_statistics_of(name text, of_level text)
RETURNS TABLE (
    division_code text, division_name text, level text, parent_code text, period text, measure text, channel text,
    value bigint, value_previous bigint, value_last_year bigint, mom numeric, yoy numeric, ytd bigint, expected integer,
    received integer, is_provisional boolean, measure_name text, channel_name text, unit text
)
LANGUAGE plpgsql STABLE ROWS 100000
SET plan_cache_mode = force_custom_plan
SET enable_nestloop = off
AS $$
#variable_conflict use_column
DECLARE
    this mart.period;
    previous mart.period;
    last_year mart.period;
    -- The year up to the end of this period.
    to_date_id integer;
    -- The divisions of the level, if few.
    few integer[];
BEGIN
    SELECT * INTO this FROM mart.period AS known WHERE known.period = name AND known.totalled_at IS NOT NULL;
    IF this.period_id IS NULL THEN
        RETURN;
    END IF;
    SELECT * INTO previous FROM mart.period AS known
    WHERE known.kind = this.kind AND known.ends_on = this.starts_on - 1 AND known.totalled_at IS NOT NULL;
    SELECT * INTO last_year FROM mart.period AS known
    WHERE known.kind = this.kind AND known.starts_on = this.starts_on - interval '1 year'
        AND known.totalled_at IS NOT NULL;
    SELECT known.period_id INTO to_date_id FROM mart.period AS known
    WHERE known.kind = CASE this.kind WHEN 'year' THEN 'year' ELSE 'to_date' END
        AND known.ends_on = this.ends_on AND known.totalled_at IS NOT NULL;
    SELECT CASE WHEN count(*) < 5000 THEN coalesce(array_agg(reporting.division_id), '{}') END INTO few
    FROM mart.period_reporting AS reporting
    JOIN core.division_period AS place
        ON place.division_id = reporting.division_id
        AND place.valid_from <= reporting.last_day AND reporting.last_day < place.valid_to
    WHERE reporting.period_id = this.period_id AND place.level = of_level;

    RETURN QUERY
    WITH reporting AS MATERIALIZED (
        SELECT
            here.division_id, here.last_day, here.expected, here.received, here.reported, here.nil_levels,
            mart.is_provisional(this, here.expected, here.received) AS is_provisional
        FROM mart.period_reporting AS here
        JOIN core.division_period AS place
            ON place.division_id = here.division_id
            AND place.valid_from <= here.last_day AND here.last_day < place.valid_to
        WHERE here.period_id = this.period_id AND place.level = of_level
    ),

    figure AS MATERIALIZED (
        SELECT figure.division_id, figure.cell_id, figure.value
        FROM mart.period_figure_of(this.period_id, few) AS figure
        JOIN reporting ON reporting.division_id = figure.division_id
        JOIN core.cell_name AS known ON known.cell_id = figure.cell_id AND known.kind <> 'carried'
    ),

    -- A division that owes figures is never absent: its first measure is 0 after nil reports, null when nothing came.
    shown AS (
        SELECT figure.division_id, figure.cell_id, figure.value
        FROM figure
        UNION ALL
        SELECT
            reporting.division_id,
            (SELECT first.cell_id FROM core.cell_name AS first WHERE first.channel_id = 0 ORDER BY first.position LIMIT 1),
            CASE WHEN reporting.reported > 0 THEN 0 END
        FROM reporting
        WHERE (reporting.expected > 0 OR reporting.reported > 0)
            AND NOT EXISTS (SELECT FROM figure WHERE figure.division_id = reporting.division_id)
    ),

    beside AS (
        SELECT
            shown.division_id, shown.cell_id, shown.value, reporting.last_day, reporting.expected, reporting.received,
            reporting.is_provisional,
            coalesce(before.value, CASE WHEN before_reporting.nil_levels & known.levels <> 0 THEN 0 END)
                AS value_previous,
            coalesce(past.value, CASE WHEN past_reporting.nil_levels & known.levels <> 0 THEN 0 END) AS value_last_year,
            coalesce(mart.is_provisional(previous, before_reporting.expected, before_reporting.received), true)
                AS is_previous_provisional,
            coalesce(mart.is_provisional(last_year, past_reporting.expected, past_reporting.received), true)
                AS is_last_year_provisional,
            coalesce(year_to_date.value, CASE WHEN year_reporting.nil_levels & known.levels <> 0 THEN 0 END) AS ytd
        FROM shown
        JOIN reporting ON reporting.division_id = shown.division_id
        JOIN core.cell_name AS known ON known.cell_id = shown.cell_id
        LEFT JOIN mart.period_figure_of(previous.period_id, few) AS before
            ON before.division_id = shown.division_id AND before.cell_id = shown.cell_id
        LEFT JOIN mart.period_reporting AS before_reporting
            ON before_reporting.period_id = previous.period_id AND before_reporting.division_id = shown.division_id
        LEFT JOIN mart.period_figure_of(last_year.period_id, few) AS past
            ON past.division_id = shown.division_id AND past.cell_id = shown.cell_id
        LEFT JOIN mart.period_reporting AS past_reporting
            ON past_reporting.period_id = last_year.period_id AND past_reporting.division_id = shown.division_id
        LEFT JOIN mart.period_figure_of(to_date_id, few) AS year_to_date
            ON year_to_date.division_id = shown.division_id AND year_to_date.cell_id = shown.cell_id
        LEFT JOIN mart.period_reporting AS year_reporting
            ON year_reporting.period_id = to_date_id AND year_reporting.division_id = shown.division_id
    )

    SELECT
        division.division_code,
        place.division_name,
        place.level,
        parent.division_code,
        this.period,
        known.measure,
        known.channel,
        beside.value,
        beside.value_previous,
        beside.value_last_year,
        CASE WHEN NOT (beside.is_provisional OR beside.is_previous_provisional)
            THEN beside.value / nullif(beside.value_previous, 0)::numeric - 1
        END,
        CASE WHEN NOT (beside.is_provisional OR beside.is_last_year_provisional)
            THEN beside.value / nullif(beside.value_last_year, 0)::numeric - 1
        END,
        beside.ytd,
        beside.expected,
        beside.received,
        beside.is_provisional,
        known.measure_name,
        known.channel_name,
        known.unit
    FROM beside
    JOIN core.division ON division.division_id = beside.division_id
    JOIN core.division_period AS place
        ON place.division_id = beside.division_id
        AND place.valid_from <= beside.last_day AND beside.last_day < place.valid_to
    LEFT JOIN core.division AS parent ON parent.division_id = place.parent_id
    JOIN core.cell_name AS known ON known.cell_id = beside.cell_id;

    -- Stocks: the period's last month, nothing added up over time.
    RETURN QUERY
    WITH stock AS (
        SELECT
            figure.division_id, figure.cell_id, figure.value, figure.units_expected, figure.units_reported,
            coalesce(figure.units_reported < this.provisional_below * figure.units_expected, false) AS is_provisional,
            before.value AS value_previous,
            coalesce(before.units_reported < this.provisional_below * before.units_expected, true)
                AS is_previous_provisional,
            past.value AS value_last_year,
            coalesce(past.units_reported < this.provisional_below * past.units_expected, true)
                AS is_last_year_provisional
        FROM mart.stock_figure AS figure
        LEFT JOIN mart.stock_figure AS before
            ON before.stat_date = this.starts_on - 1
            AND before.division_id = figure.division_id AND before.cell_id = figure.cell_id
        LEFT JOIN mart.stock_figure AS past
            ON past.stat_date = (date_trunc('month', this.ends_on - interval '1 year') + interval '1 month - 1 day')::date
            AND past.division_id = figure.division_id AND past.cell_id = figure.cell_id
        WHERE figure.stat_date = this.ends_on
    )

    SELECT
        division.division_code, place.division_name, place.level, parent.division_code, this.period, known.measure,
        known.channel, stock.value::bigint, stock.value_previous::bigint, stock.value_last_year::bigint,
        CASE WHEN NOT (stock.is_provisional OR stock.is_previous_provisional)
            THEN stock.value / nullif(stock.value_previous, 0)::numeric - 1
        END,
        CASE WHEN NOT (stock.is_provisional OR stock.is_last_year_provisional)
            THEN stock.value / nullif(stock.value_last_year, 0)::numeric - 1
        END,
        NULL::bigint, stock.units_expected::integer, stock.units_reported::integer, stock.is_provisional,
        known.measure_name, known.channel_name, known.unit
    FROM stock
    JOIN core.division ON division.division_id = stock.division_id
    JOIN core.division_period AS place
        ON place.division_id = stock.division_id
        AND place.valid_from <= this.ends_on AND this.ends_on < place.valid_to
    LEFT JOIN core.division AS parent ON parent.division_id = place.parent_id
    JOIN core.cell_name AS known ON known.cell_id = stock.cell_id
    WHERE place.level = of_level;
END
$$;

-- Months, quarters and years. mom, yoy: the figure over that of the period before, of the same period a year ago, less 1;
-- null where either is provisional or there is nothing to compare with. ytd: the year up to the end of the period.
CREATE VIEW mart.period_statistics AS
SELECT
    statistic.division_code, statistic.division_name, level.level, statistic.parent_code, period.period,
    statistic.measure, statistic.channel, statistic.value, statistic.value_previous, statistic.value_last_year,
    statistic.mom, statistic.yoy, statistic.ytd, statistic.expected, statistic.received, statistic.is_provisional,
    statistic.measure_name, statistic.channel_name, statistic.unit
FROM mart.period
CROSS JOIN core.level
CROSS JOIN LATERAL mart.period_statistics_of(period.period, level.level) AS statistic
WHERE period.kind IN ('month', 'quarter', 'year') AND period.totalled_at IS NOT NULL;

-- As before, without what is carried.
CREATE OR REPLACE VIEW mart.daily_statistics AS
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
JOIN core.channel ON channel.channel_id = cell.channel_id
WHERE measure.kind <> 'carried';

-- Per day (stat_date) and per month, quarter and year (period), where units count once for each day on which they were
-- expected. missing is null as long as the cut-off of one of them is ahead. Rates are of those expected, 0 to 1.
CREATE OR REPLACE VIEW mart.reporting_rate AS
WITH counted AS (
    SELECT
        'daily'::text AS dataset, rollup.stat_date, to_char(rollup.stat_date, 'YYYY-MM-DD') AS period, rollup.stat_date AS on_day,
        reporting.division_id, reporting.units_expected AS expected,
        reporting.received, reporting.on_time, reporting.late, reporting.rejected, reporting.cutoff_at
    FROM mart.daily_rollup AS rollup
    JOIN mart.daily_reporting AS reporting ON reporting.stat_date = rollup.stat_date
    WHERE reporting.units_expected > 0
    UNION ALL
    SELECT
        due.dataset, due.stat_date, to_char(due.stat_date, 'YYYY-MM'), due.stat_date, counted.division_id,
        counted.expected, counted.received, counted.on_time, counted.late, counted.rejected, counted.cutoff_at
    FROM (
        SELECT DISTINCT expected.dataset, expected.stat_date
        FROM core.expected_day AS expected
        WHERE expected.dataset <> 'daily'
    ) AS due
    CROSS JOIN LATERAL mart.reporting_of(due.dataset, due.stat_date) AS counted
    UNION ALL
    SELECT
        'daily', NULL, period.period, reporting.last_day, reporting.division_id, reporting.expected, reporting.received,
        reporting.on_time, reporting.late, reporting.rejected, reporting.cutoff_at
    FROM mart.period
    CROSS JOIN LATERAL mart.period_reporting_of(period.period_id) AS reporting
    WHERE period.kind IN ('month', 'quarter', 'year') AND period.totalled_at IS NOT NULL AND reporting.expected > 0
)

SELECT
    division.division_code,
    period.division_name,
    period.level,
    parent.division_code AS parent_code,
    counted.dataset,
    counted.stat_date,
    counted.expected,
    counted.received,
    counted.on_time,
    counted.late,
    counted.received - counted.on_time - counted.late AS late_after_cutoff,
    CASE
        WHEN counted.cutoff_at < statement_timestamp() THEN counted.expected - counted.received - counted.rejected
    END AS missing,
    counted.rejected,
    counted.received::numeric / counted.expected AS reporting_rate,
    counted.on_time::numeric / counted.expected AS on_time_rate,
    counted.period
FROM counted
JOIN core.division ON division.division_id = counted.division_id
JOIN core.division_period AS period
    ON period.division_id = counted.division_id
    AND period.valid_from <= counted.on_day AND counted.on_day < period.valid_to
LEFT JOIN core.division AS parent ON parent.division_id = period.parent_id;

-- A period beside an earlier one: plain, each on its own days' divisions; over the units that reported in both, below the
-- divisions of the period's last day; and the earlier one on those divisions (可比口径). There, a figure goes, month by
-- month, from the unit that reported it to its successors, shared out in whole numbers by largest remainder.
CREATE FUNCTION mart.period_comparison(of_period text, base_period text)
RETURNS TABLE (
    division_code text, measure text, channel text, value bigint, value_base bigint, value_same_units bigint,
    base_same_units bigint, base_on_todays_divisions bigint
)
LANGUAGE plpgsql STABLE ROWS 100000
SET plan_cache_mode = force_custom_plan
SET enable_nestloop = off
AS $$
#variable_conflict use_column
DECLARE
    this mart.period;
    base mart.period;
    base_months integer[];
BEGIN
    SELECT * INTO this FROM mart.period AS known WHERE known.period = of_period AND known.totalled_at IS NOT NULL;
    SELECT * INTO base FROM mart.period AS known WHERE known.period = base_period AND known.totalled_at IS NOT NULL;
    IF this.period_id IS NULL OR base.period_id IS NULL THEN
        RAISE EXCEPTION 'no totals of %', CASE WHEN this.period_id IS NULL THEN of_period ELSE base_period END;
    END IF;
    IF this.ends_on < base.ends_on THEN
        RAISE EXCEPTION '% ends before %: name the later period first', of_period, base_period;
    END IF;
    SELECT array_agg(month.period_id) INTO base_months
    FROM mart.period AS month
    WHERE month.kind = 'month' AND month.starts_on >= base.starts_on AND month.ends_on <= base.ends_on
        AND month.totalled_at IS NOT NULL;

    RETURN QUERY
    WITH RECURSIVE place AS MATERIALIZED (
        SELECT period.division_id, period.parent_id
        FROM core.division_period AS period
        WHERE period.valid_from <= this.ends_on AND this.ends_on < period.valid_to
    ),

    same AS MATERIALIZED (
        SELECT here.division_id AS unit_id
        FROM mart.period_reporting AS here
        JOIN mart.period_reporting AS past ON past.division_id = here.division_id
        WHERE here.period_id = this.period_id AND here.own_reported > 0
            AND past.period_id = base.period_id AND past.own_reported > 0
    ),

    sender AS MATERIALIZED (
        SELECT monthly.period_id, monthly.division_id, monthly.last_day
        FROM mart.period_reporting AS monthly
        WHERE monthly.period_id = ANY(base_months) AND monthly.own_reported > 0
    ),

    part AS (
        SELECT
            sender.period_id, sender.division_id, successor.successor_id, own.cell_id, own.value,
            floor(own.value * successor.share) AS whole,
            own.value * successor.share - floor(own.value * successor.share) AS remainder
        FROM (SELECT DISTINCT sender.last_day FROM sender) AS day
        CROSS JOIN LATERAL core.division_successor(day.last_day, this.ends_on) AS successor
        JOIN sender ON sender.last_day = day.last_day AND sender.division_id = successor.division_id
        JOIN mart.period_own AS own ON own.period_id = sender.period_id AND own.unit_id = sender.division_id
        WHERE own.period_id = ANY(base_months)
    ),

    ranked AS (
        SELECT
            part.*,
            row_number() OVER (
                PARTITION BY part.period_id, part.division_id, part.cell_id
                ORDER BY part.remainder DESC, part.successor_id
            ) AS rank,
            part.value - sum(part.whole) OVER (PARTITION BY part.period_id, part.division_id, part.cell_id) AS left_over
        FROM part
    ),

    own AS MATERIALIZED (
        SELECT
            own.unit_id, own.cell_id, own.value AS value_same_units, NULL::bigint AS base_same_units,
            NULL::bigint AS base_on_todays_divisions
        FROM mart.period_own AS own
        JOIN same ON same.unit_id = own.unit_id
        WHERE own.period_id = this.period_id
        UNION ALL
        SELECT own.unit_id, own.cell_id, NULL, own.value, NULL
        FROM mart.period_own AS own
        JOIN same ON same.unit_id = own.unit_id
        WHERE own.period_id = base.period_id
        UNION ALL
        SELECT
            ranked.successor_id, ranked.cell_id, NULL, NULL,
            sum(ranked.whole + (ranked.rank <= ranked.left_over)::integer)::bigint
        FROM ranked
        GROUP BY ranked.successor_id, ranked.cell_id
    ),

    upward AS (
        SELECT place.division_id AS unit_id, place.division_id, place.parent_id
        FROM place
        WHERE place.division_id IN (SELECT own.unit_id FROM own)
        UNION ALL
        SELECT upward.unit_id, place.division_id, place.parent_id
        FROM upward
        JOIN place ON place.division_id = upward.parent_id
    ),

    summed AS MATERIALIZED (
        SELECT
            upward.division_id, own.cell_id, sum(own.value_same_units)::bigint AS value_same_units,
            sum(own.base_same_units)::bigint AS base_same_units,
            sum(own.base_on_todays_divisions)::bigint AS base_on_todays_divisions
        FROM own
        JOIN upward ON upward.unit_id = own.unit_id
        GROUP BY upward.division_id, own.cell_id
    ),

    figure AS (
        SELECT
            plain.division_id, plain.cell_id, plain.value, NULL::bigint AS value_base, NULL::bigint AS value_same_units,
            NULL::bigint AS base_same_units, NULL::bigint AS base_on_todays_divisions
        FROM mart.period_figure_of(this.period_id) AS plain
        UNION ALL
        SELECT plain.division_id, plain.cell_id, NULL, plain.value, NULL, NULL, NULL
        FROM mart.period_figure_of(base.period_id) AS plain
        UNION ALL
        SELECT
            summed.division_id, summed.cell_id, NULL, NULL, summed.value_same_units, summed.base_same_units,
            summed.base_on_todays_divisions
        FROM summed
        UNION ALL
        SELECT
            summed.division_id, known.all_cell_id, NULL, NULL, summed.value_same_units, summed.base_same_units,
            summed.base_on_todays_divisions
        FROM summed
        JOIN core.cell_name AS known ON known.cell_id = summed.cell_id
    )

    SELECT
        division.division_code, known.measure, known.channel, sum(figure.value)::bigint, sum(figure.value_base)::bigint,
        sum(figure.value_same_units)::bigint, sum(figure.base_same_units)::bigint,
        sum(figure.base_on_todays_divisions)::bigint
    FROM figure
    JOIN core.division ON division.division_id = figure.division_id
    JOIN core.cell_name AS known ON known.cell_id = figure.cell_id
    WHERE known.kind <> 'carried'
    GROUP BY division.division_code, known.measure, known.channel;
END
$$;
