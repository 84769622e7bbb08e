-- Population at the end of the period's last month, by division.
CREATE TEMPORARY TABLE satisfaction_population ON COMMIT DROP AS
SELECT stock.division_id, stock.value
FROM mart.stock_figure AS stock
JOIN core.cell ON cell.cell_id = stock.cell_id
JOIN core.measure ON measure.measure_id = cell.measure_id
WHERE stock.stat_date = :ends_on AND measure.measure = 'population'
