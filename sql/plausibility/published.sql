-- The usual daily total of each cell, as published: of the highest divisions, averaged over the days that have one; days as
-- in own_figures.
WITH highest AS MATERIALIZED (
    SELECT period.division_id
    FROM core.division_period AS period
    WHERE period.parent_id IS NULL AND period.valid_from <= :day AND :day < period.valid_to
)

SELECT total.cell_id, sum(total.value)::double precision / count(DISTINCT total.stat_date) AS value
FROM (
    SELECT daily_sum.stat_date, unnest(daily_sum.cells) AS cell_id, unnest(daily_sum.figures) AS value
    FROM mart.daily_sum
    WHERE daily_sum.stat_date = ANY(ARRAY(
        SELECT generate_series(CAST(:first AS date), CAST(:day AS date), interval '1 day')::date
    ))
        AND daily_sum.stat_date BETWEEN :first AND :day
        AND daily_sum.division_id IN (SELECT highest.division_id FROM highest)
) AS total
WHERE total.cell_id = ANY(:cells)
GROUP BY total.cell_id
