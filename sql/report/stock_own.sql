-- What units keep themselves at a month's end, nothing of those below them.
SELECT division.division_code, known.measure, known.channel, own.value
FROM mart.stock_own AS own
JOIN core.division ON division.division_id = own.division_id
JOIN core.cell_name AS known ON known.cell_id = own.cell_id
WHERE own.stat_date = :last_day AND division.division_code IN (SELECT unnest(CAST(:codes AS text[]))) AND known.measure = ANY(:measures)
    AND own.value IS NOT NULL
