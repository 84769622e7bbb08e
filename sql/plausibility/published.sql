-- The usual daily total of each cell, as published: of the highest divisions, averaged over the days that have one.
WITH highest AS MATERIALIZED (
    SELECT period.division_id
    FROM core.division_period AS period
    WHERE period.parent_id IS NULL AND period.valid_from <= :day AND :day < period.valid_to
)

SELECT total.cell_id, sum(total.value)::double precision / count(DISTINCT day.stat_date) AS value
FROM (SELECT generate_series(CAST(:first AS date), CAST(:day AS date), interval '1 day')::date AS stat_date) AS day
CROSS JOIN highest
CROSS JOIN LATERAL (
    SELECT total.cell_id, total.value
    FROM mart.daily_total AS total
    WHERE total.stat_date = day.stat_date AND total.stat_date BETWEEN :first AND :day
        AND total.division_id = highest.division_id
        AND total.cell_id = ANY(:cells)
) AS total
GROUP BY total.cell_id
