-- Sums of the month that the checks over the year to date look at.
INSERT INTO quality.month_sum (unit_id, month, measure_id, value)
SELECT submission.unit_id, :first, cell.measure_id, sum(submission.value)
FROM (
    SELECT submission.unit_id, unnest(submission.cells) AS cell_id, unnest(submission.figures) AS value
    FROM core.submission
    WHERE submission.stat_date BETWEEN :first AND :last AND submission.dataset = 'daily'
        AND submission.known_to = 'infinity' AND NOT submission.is_nil
) AS submission
JOIN core.cell USING (cell_id)
JOIN core.measure USING (measure_id)
WHERE measure.measure = ANY(:wholes) OR measure.measure = ANY(:parts)
GROUP BY submission.unit_id, cell.measure_id
