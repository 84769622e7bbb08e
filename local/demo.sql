-- What the demo shows: per day and level, how much is in the mart and one measure's sum.
SELECT
    stat_date,
    level,
    count(DISTINCT division_code) AS divisions,
    count(*) AS mart_rows,
    sum(units_reported) FILTER (WHERE is_first) AS reported,
    sum(units_expected) FILTER (WHERE is_first) AS expected,
    coalesce(sum(value) FILTER (WHERE measure = 'consultation' AND channel = 'all'), 0) AS consultations
FROM (
    SELECT
        *,
        row_number() OVER (PARTITION BY stat_date, division_code ORDER BY measure, channel) = 1 AS is_first
    FROM mart.daily_statistics
    WHERE stat_date BETWEEN :first AND :last
) AS figure
GROUP BY stat_date, level
ORDER BY stat_date, min(array_position(ARRAY['province', 'city', 'county', 'township', 'village'], level));
