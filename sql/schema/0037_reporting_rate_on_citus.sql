-- mart.reporting_rate without an outer join: of one data set, whose name is a constant in each part, the other parts fall
-- away, and on PostgreSQL 15 and 16 Citus plans no outer join over what is left.
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
    (
        SELECT parent.division_code FROM core.division AS parent WHERE parent.division_id = period.parent_id
    ) AS parent_code,
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
    AND period.valid_from <= counted.on_day AND counted.on_day < period.valid_to;
