-- The divisions' totals over channels, one row of arrays per day; days as in own_figures.
SELECT
    total.stat_date,
    array_agg(total.division_id) AS division_id,
    array_agg(total.cell_id) AS cell_id,
    array_agg(total.value) AS value
FROM (
    SELECT
        daily_sum.stat_date, daily_sum.division_id, unnest(daily_sum.cells) AS cell_id,
        unnest(daily_sum.figures) AS value
    FROM mart.daily_sum
    WHERE daily_sum.stat_date = ANY(ARRAY(
        SELECT generate_series(CAST(:first AS date), CAST(:day AS date), interval '1 day')::date
    ))
        AND daily_sum.stat_date BETWEEN :first AND :day
        AND daily_sum.division_id = ANY(:divisions)
) AS total
WHERE total.cell_id = ANY(:cells)
GROUP BY total.stat_date
