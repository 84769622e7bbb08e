-- How many units of each division, itself and below it, were expected and reported, and whether it was itself; one row
-- of arrays per day; days as in own_figures.
SELECT
    reporting.stat_date,
    array_agg(reporting.division_id) AS division_id,
    array_agg(reporting.units_expected) AS units_expected,
    array_agg(reporting.units_reported) AS units_reported,
    array_agg(reporting.is_expected::integer) AS own_expected,
    array_agg(reporting.is_reported::integer) AS own_reported
FROM mart.daily_reporting AS reporting
WHERE reporting.stat_date = ANY(ARRAY(
    SELECT generate_series(CAST(:first AS date), CAST(:day AS date), interval '1 day')::date
))
    AND reporting.stat_date BETWEEN :first AND :day
    AND reporting.division_id = ANY(:divisions)
GROUP BY reporting.stat_date
