-- What units at or below the division said of themselves at the month's end.
SELECT
    division.division_code AS unit_code,
    below.division_name AS unit_name,
    submission.stat_date,
    measure.measure,
    NULL::text AS channel,
    figure.value
FROM core.division_below_as_of(:division, :last_day, 'infinity') AS below
JOIN core.submission
    ON submission.stat_date = :last_day AND submission.unit_id = below.division_id AND submission.dataset = 'stocks'
    AND submission.known_to = 'infinity' AND NOT submission.is_withdrawn
CROSS JOIN LATERAL unnest(submission.cells, submission.figures) AS figure (cell_id, value)
JOIN core.cell ON cell.cell_id = figure.cell_id
JOIN core.measure ON measure.measure_id = cell.measure_id AND measure.measure = ANY(:measures)
JOIN core.division ON division.division_id = below.division_id
WHERE CAST(:levels AS text[]) IS NULL OR below.level = ANY(:levels)
ORDER BY division.division_code, measure.position
