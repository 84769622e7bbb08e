-- The indicators of a period, of one division or of the highest that have any.
WITH found AS (
    SELECT indicator.*, level.depth, min(level.depth) OVER () AS top
    FROM mart.indicator_value AS indicator
    JOIN core.level ON level.level = indicator.level
    WHERE indicator.period = :period
        AND (CAST(:division AS text) IS NULL OR indicator.division_code = :division)
)

SELECT
    division_code, division_name, indicator, indicator_name, value, unit, target, status, is_provisional, note_zh
FROM found
WHERE depth = top
ORDER BY division_code, position
