-- A page of the units that an indicator counts.
SELECT counted.unit_code, counted.unit_name, counted.level, counted.figures, count(*) OVER () AS rows_total
FROM mart.units_counted(:period_id, :division_id, :levels, :measures, :fewest) AS counted
ORDER BY counted.unit_code
LIMIT :limit OFFSET :offset
