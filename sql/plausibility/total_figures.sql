-- The divisions' totals over channels, one row of arrays per day.
SELECT
    day.stat_date,
    array_agg(total.division_id) AS division_id,
    array_agg(total.cell_id) AS cell_id,
    array_agg(total.value) AS value
FROM (SELECT generate_series(CAST(:first AS date), CAST(:day AS date), interval '1 day')::date AS stat_date) AS day
CROSS JOIN LATERAL (
    SELECT total.division_id, unnest(total.cells) AS cell_id, unnest(total.figures) AS value
    FROM mart.daily_sum AS total
    WHERE total.stat_date = day.stat_date AND total.stat_date BETWEEN :first AND :day
        AND total.division_id = ANY(:divisions)
) AS total
WHERE total.cell_id = ANY(:cells)
GROUP BY day.stat_date
