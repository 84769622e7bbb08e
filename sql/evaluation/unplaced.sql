-- Evidence about divisions that are not evaluated, and indicators that were never registered.
SELECT format('evidence %s: division %s', evidence.id, evidence.division)
FROM jsonb_to_recordset(CAST(:evidence AS jsonb)) AS evidence (id text, division text)
WHERE NOT EXISTS (SELECT FROM place WHERE place.division_code = evidence.division)
UNION
SELECT format('indicator %s', rule.indicator)
FROM rule
WHERE rule.indicator_id IS NULL
ORDER BY 1
