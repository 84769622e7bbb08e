-- Rows of a day's mart that differ from those summed anew from the submissions; first what is shown, then what is right.
WITH shown AS (
    SELECT statistics.*
    FROM mart.daily_statistics AS statistics
    WHERE statistics.stat_date = :day
),

anew AS (
    SELECT statistics.* FROM mart.daily_statistics_as_of('infinity', :day) AS statistics
)

SELECT
    coalesce(shown.division_code, anew.division_code) AS division_code,
    coalesce(shown.measure, anew.measure) AS measure,
    coalesce(shown.channel, anew.channel) AS channel,
    to_jsonb(shown) AS shown,
    to_jsonb(anew) AS anew
FROM shown
FULL JOIN anew
    ON anew.division_code = shown.division_code AND anew.measure = shown.measure AND anew.channel = shown.channel
WHERE to_jsonb(shown) IS DISTINCT FROM to_jsonb(anew)
ORDER BY 1, 2, 3
LIMIT 100
