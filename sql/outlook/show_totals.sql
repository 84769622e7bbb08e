-- The totals of a period that are estimated, or cannot be; of one level where one is asked for.
SELECT
    total.division_code, total.division_name, total.level, total.measure, total.measure_name, total.unit, total.value,
    total.completeness, total.of_whole, total.late, total.to_come, total.estimate, total.lower, total.upper,
    total.reason_zh
FROM mart.estimated_total AS total
WHERE total.period = :period AND (total.is_estimate OR total.reason_zh IS NOT NULL)
    AND (CAST(:level AS text) IS NULL OR total.level = :level)
ORDER BY total.division_code, total.measure
