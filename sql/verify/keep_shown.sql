-- What a period shows, aside.
CREATE TEMPORARY TABLE shown ON COMMIT DROP AS
SELECT figure.division_id, figure.cell_id, figure.value
FROM mart.period_figure_of(:period_id) AS figure
