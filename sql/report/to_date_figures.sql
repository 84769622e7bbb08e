-- The year up to a period's end of divisions of the period; also where the period itself has no figure.
SELECT division.division_code, known.measure, known.channel, figure.value
FROM mart.period AS this
CROSS JOIN LATERAL mart.period_figure_of(this.period_id, CASE WHEN cardinality(CAST(:codes AS text[])) < 5000 THEN ARRAY(
    SELECT few.division_id FROM core.division AS few WHERE few.division_code = ANY(:codes)
) END) AS figure
JOIN core.division ON division.division_id = figure.division_id
JOIN core.cell_name AS known ON known.cell_id = figure.cell_id
WHERE this.period = :to_date AND this.totalled_at IS NOT NULL AND known.measure = ANY(:measures)
    AND division.division_code IN (SELECT unnest(CAST(:codes AS text[])))
