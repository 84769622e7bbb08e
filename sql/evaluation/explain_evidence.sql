SELECT evidence.evidence, evidence.kind, evidence.points, evidence.reason, evidence.file, evidence.sha256
FROM mart.evaluation_evidence AS evidence
JOIN mart.period ON period.period_id = evidence.period_id
JOIN core.scheme ON scheme.scheme_id = evidence.scheme_id
JOIN core.division ON division.division_id = evidence.division_id
WHERE division.division_code = :division AND period.period = :period AND scheme.scheme = :scheme
ORDER BY evidence.evidence
