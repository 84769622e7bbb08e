-- The last value of each unit that is expected and did not report a stock that may be carried forward.
INSERT INTO mart.stock_carried (stat_date, unit_id, cell_id, value, carried_from)
WITH reported AS MATERIALIZED (
    SELECT count.unit_id, count.cell_id FROM core.stock_count AS count WHERE count.stat_date = :day
),

carried AS MATERIALIZED (
    SELECT cell.cell_id, date_trunc('month', CAST(:day AS date)) - make_interval(months => may.months) AS since
    FROM unnest(CAST(:measures AS text[]), CAST(:months AS integer[])) AS may (measure, months)
    JOIN core.measure ON measure.measure = may.measure
    JOIN core.cell ON cell.measure_id = measure.measure_id AND cell.channel_id = 0
)

SELECT DISTINCT ON (earlier.unit_id, earlier.cell_id)
    :day, earlier.unit_id, earlier.cell_id, earlier.value, earlier.stat_date
FROM carried
JOIN core.stock_count AS earlier
    ON earlier.cell_id = carried.cell_id AND earlier.stat_date < :day AND earlier.stat_date >= :earliest
    AND earlier.stat_date >= carried.since
JOIN mart.stock_reporting AS unit
    ON unit.stat_date = :day AND unit.division_id = earlier.unit_id AND unit.is_expected AND NOT unit.is_nil
WHERE NOT EXISTS (
    SELECT FROM reported WHERE reported.unit_id = earlier.unit_id AND reported.cell_id = earlier.cell_id
)
ORDER BY earlier.unit_id, earlier.cell_id, earlier.stat_date DESC
