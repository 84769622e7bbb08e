-- The unusual rises of the week before the one that begins on :starts_on.
SELECT
    rise.week_date, rise.division_code, rise.division_name, rise.measure, rise.observed, rise.forecast,
    rise.upper_limit, rise.question_zh
FROM mart.unusual_rise AS rise
WHERE rise.week_date = CAST(:starts_on AS date) - 7
ORDER BY rise.division_code, rise.measure
