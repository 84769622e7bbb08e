-- How many units of each division, itself and below it, were expected and reported, and whether it was itself; one row
-- of arrays per day.
SELECT
    day.stat_date,
    array_agg(reporting.division_id) AS division_id,
    array_agg(reporting.units_expected) AS units_expected,
    array_agg(reporting.units_reported) AS units_reported,
    array_agg(reporting.is_expected::integer) AS own_expected,
    array_agg(reporting.is_reported::integer) AS own_reported
FROM (SELECT generate_series(CAST(:first AS date), CAST(:day AS date), interval '1 day')::date AS stat_date) AS day
CROSS JOIN LATERAL (
    SELECT
        reporting.division_id, reporting.units_expected, reporting.units_reported, reporting.is_expected,
        reporting.is_reported
    FROM mart.daily_reporting AS reporting
    WHERE reporting.stat_date = day.stat_date AND reporting.stat_date BETWEEN :first AND :day
        AND reporting.division_id = ANY(:divisions)
) AS reporting
GROUP BY day.stat_date
