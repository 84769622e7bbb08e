-- The stocks that formulas need at the end of the period's last month, of the divisions that need them.
CREATE TEMPORARY TABLE stocked ON COMMIT DROP AS
SELECT
    figure.division_id, figure.cell_id, figure.value, figure.units_expected, figure.units_reported, figure.carried_from
FROM mart.stock_figure AS figure
JOIN scope ON scope.division_id = figure.division_id
JOIN (
    SELECT DISTINCT ref.stock_cell, need.depth
    FROM ref
    JOIN need ON need.ref_id = ref.ref_id
    WHERE ref.stock_cell IS NOT NULL
) AS asked ON asked.stock_cell = figure.cell_id AND asked.depth = scope.depth
WHERE figure.stat_date = :last_day
