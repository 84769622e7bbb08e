SELECT figure.value
FROM mart.stock_figure AS figure
JOIN core.division USING (division_id)
JOIN core.cell USING (cell_id)
JOIN core.measure USING (measure_id)
WHERE figure.stat_date = :day AND division.division_code = :division AND measure.measure = :measure
