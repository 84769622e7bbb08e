-- Totals of months, of divisions that stand in the table.
SELECT division.division_code, month.period, known.measure, figure.value
FROM mart.period AS month
CROSS JOIN LATERAL mart.period_figure_of(month.period_id, CASE WHEN cardinality(CAST(:codes AS text[])) < 5000 THEN ARRAY(
    SELECT few.division_id FROM core.division AS few WHERE few.division_code = ANY(:codes)
) END) AS figure
JOIN core.division ON division.division_id = figure.division_id
JOIN core.cell_name AS known ON known.cell_id = figure.cell_id
WHERE month.period = ANY(:months) AND month.totalled_at IS NOT NULL
    AND known.channel = 'all' AND known.measure = ANY(:measures)
    AND division.division_code IN (SELECT unnest(CAST(:codes AS text[])))
