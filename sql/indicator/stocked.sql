-- The stocks that formulas need at the end of the period's last month: of divisions with others below them as rolled up, of
-- the others as they reported. Columns as in mart.stock_figure.
CREATE TEMPORARY TABLE stocked ON COMMIT DROP AS
SELECT
    total.division_id, total.cell_id, total.value, total.units_expected, total.units_reported, total.carried_from
FROM mart.stock_total AS total
JOIN scope ON scope.division_id = total.division_id
WHERE total.stat_date = :last_day
UNION ALL
SELECT
    own.division_id, own.cell_id, own.value, 1, (own.carried_from IS NULL)::integer, own.carried_from
FROM own_stock AS own
JOIN (
    SELECT DISTINCT ref.stock_cell, need.depth
    FROM ref
    JOIN need ON need.ref_id = ref.ref_id
    WHERE ref.stock_cell IS NOT NULL
) AS asked ON asked.stock_cell = own.cell_id AND asked.depth = own.depth
JOIN scope ON scope.division_id = own.division_id AND NOT scope.has_below
