-- What units reported of a month, quarter or year themselves, nothing of those below them; channel 'all' is the total. Stocks
-- are those of the period's last day.
SELECT
    division.division_code,
    known.measure,
    CASE WHEN grouping(known.channel) = 1 THEN 'all' ELSE known.channel END AS channel,
    sum(own.value)::bigint AS value
FROM mart.period AS this
JOIN mart.period_own AS own ON own.period_id = this.period_id
JOIN core.division ON division.division_id = own.unit_id
JOIN core.cell_name AS known ON known.cell_id = own.cell_id
WHERE this.period = :period AND division.division_code IN (SELECT unnest(CAST(:codes AS text[]))) AND known.measure = ANY(:measures)
GROUP BY GROUPING SETS (
    (division.division_code, known.measure, known.channel), (division.division_code, known.measure)
)
