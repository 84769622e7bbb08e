-- What units reported of a day themselves, nothing of those below them; channel 'all' is the total.
SELECT
    division.division_code,
    known.measure,
    CASE WHEN grouping(known.channel) = 1 THEN 'all' ELSE known.channel END AS channel,
    sum(own.value)::bigint AS value
FROM core.daily_count AS own
JOIN core.division ON division.division_id = own.unit_id
JOIN core.cell_name AS known ON known.cell_id = own.cell_id
WHERE own.stat_date = :last_day AND division.division_code IN (SELECT unnest(CAST(:codes AS text[]))) AND known.measure = ANY(:measures)
GROUP BY GROUPING SETS (
    (division.division_code, known.measure, known.channel), (division.division_code, known.measure)
)
