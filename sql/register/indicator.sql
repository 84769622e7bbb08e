INSERT INTO core.indicator (indicator)
SELECT item.code
FROM jsonb_to_recordset(CAST(:declared AS jsonb)) AS item (code text)
WHERE NOT EXISTS (SELECT FROM core.indicator AS known WHERE known.indicator = item.code)
ORDER BY item.code
