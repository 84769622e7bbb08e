-- The cell of each measure's total over channels, in the order of :measures.
SELECT measure.measure, measure.measure_id, measure.measure_name, measure.unit, cell.cell_id
FROM unnest(CAST(:measures AS text[])) WITH ORDINALITY AS wanted (measure, place)
JOIN core.measure ON measure.measure = wanted.measure
JOIN core.cell ON cell.measure_id = measure.measure_id AND cell.channel_id = 0
ORDER BY wanted.place
